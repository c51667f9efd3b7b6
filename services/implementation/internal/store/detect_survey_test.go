package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// tell publishes a wave of the survey "pulse" that closed at a moment, with one group.
func (b *bureau) tell(wave int, closed time.Time, group *implementationv1.SurveyGroup) {
	b.Helper()
	name := fmt.Sprintf("%s/surveys/pulse/waves/w%d", ws, wave)
	group.Cohort = ws + "/cohorts/sales"
	data, err := proto.Marshal(&implementationv1.SurveyResult{SurveyWave: name, ClosedTime: timestamppb.New(closed), Groups: []*implementationv1.SurveyGroup{{AskedCount: 500}, group}})
	require.NoError(b, err)
	require.NoError(b, b.DB().Tx(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO survey_results (wave, workspace, survey, closed_time, pulse, message) VALUES ($1, $2, $3, $4, 1, $5)",
			name, ws, ws+"/surveys/pulse", closed.UnixMicro(), data)
		return err
	}))
}

// answers is a group that was told: who answered of 100, and how many were satisfied and able.
func answers(responses, satisfied, able int64) *implementationv1.SurveyGroup {
	return &implementationv1.SurveyGroup{
		State: implementationv1.SurveyGroup_TOLD, AskedCount: 100, ResponseCount: responses,
		Measures: []*implementationv1.SurveyMeasure{
			{Question: "done", Kind: implementationv1.Question_CSAT, Series: "s1", Numerator: satisfied, Denominator: responses},
			{Question: "adkar", Kind: implementationv1.Question_ADKAR, Element: "AWARENESS", Series: "s2", Numerator: responses, Denominator: responses},
			{Question: "adkar", Kind: implementationv1.Question_ADKAR, Element: "ABILITY", Series: "s3", Numerator: able, Denominator: responses},
			{Question: "nps", Kind: implementationv1.Question_ENPS, Series: "s4", Numerator: 1, Denominator: responses},
		},
	}
}

func TestSurveysAreJudgedWaveByWave(t *testing.T) {
	eachBureau(t, func(t *testing.T, b *bureau) {
		start := b.now
		for wave := range 4 {
			b.tell(wave, start.AddDate(0, 0, 7*wave), answers(80, 60, 70))
		}
		b.now = start.AddDate(0, 0, 30)
		said := func() map[string]string {
			all := map[string]string{}
			for _, rule := range b.run(&implementationv1.RunDetectorsRequest{Name: crm, ValidateOnly: true}).GetRules() {
				for _, o := range rule.GetOutcomes() {
					all[rule.GetRule()+" "+o.GetAspect()] = o.GetStatus().String() + " " + o.GetPeriod()[len(ws+"/surveys/pulse/waves/"):] + ": " + o.GetArithmetic()
				}
				if rule.GetRule() == "R6" {
					break
				}
			}
			return all
		}
		pulse := ws + "/surveys/pulse"
		require.Contains(t, said()["R4 "+pulse+"#done"], "CLEAR w3: done: 60 of 80 (75 %)")
		require.NotContains(t, said(), "R4 "+pulse+"#nps", "a score is no share")
		require.Contains(t, said()["R6 "+pulse+"#ABILITY"], "CLEAR")

		b.tell(4, start.AddDate(0, 0, 31), answers(40, 10, 5))
		b.now = start.AddDate(0, 0, 45)
		require.Contains(t, said()["R4 "+pulse+"#done"], "HOLDS w4: done: 10 of 40 (25 %) good answers, before 240 of 320 (75 %): -50 points")
		require.Contains(t, said()["R5 "+pulse], "HOLDS w4: 40 of 100 (40 %) answered, before 320 of 400 (80 %)")
		require.Contains(t, said()["R6 "+pulse+"#ABILITY"], "HOLDS w4: ABILITY: 5 of 40 (12.5 %) said 4 or 5")
		require.Contains(t, said()["R6 "+pulse+"#AWARENESS"], "CLEAR")

		require.Empty(t, b.run(&implementationv1.RunDetectorsRequest{Name: crm}).GetSuggested())
		require.Empty(t, b.nextWeek().GetSuggested(), "the same wave does not count twice")
		b.tell(5, b.now.AddDate(0, 0, -1), answers(40, 10, 5))
		b.nextWeek()
		found := b.signals()
		rules := map[string]int{}
		for _, s := range found {
			if s.GetPhase() == implementationv1.Signal_ENTERED {
				rules[s.GetRule()]++
			}
		}
		require.Equal(t, map[string]int{"R4": 1, "R5": 1, "R6": 1}, rules, "the second wave running")
	})
}

func TestAGroupThatIsNotToldIsNotJudged(t *testing.T) {
	eachBureau(t, func(t *testing.T, b *bureau) {
		hidden := answers(4, 0, 0)
		hidden.State, hidden.Measures, hidden.ResponseCount = implementationv1.SurveyGroup_TOO_FEW, nil, 0
		b.tell(0, b.now, hidden)
		b.now = b.now.AddDate(0, 0, 14)
		for _, rule := range b.run(&implementationv1.RunDetectorsRequest{Name: crm, ValidateOnly: true}).GetRules() {
			if r := rule.GetRule(); r == "R4" || r == "R5" || r == "R6" {
				require.Empty(t, rule.GetOutcomes())
			}
		}
	})
}
