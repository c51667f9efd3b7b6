package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// question makes a decision of the implementation crm that is to be taken.
func question(t *testing.T, s *store.Store, id string, d *implementationv1.Decision) string {
	t.Helper()
	d.DisplayName = "Does it go live?"
	created, err := s.CreateDecision(t.Context(), &implementationv1.CreateDecisionRequest{Parent: crm, DecisionId: id, Decision: d})
	require.NoError(t, err)
	return created.GetName()
}

func makeCRM(t *testing.T, s *store.Store) {
	t.Helper()
	_, err := store.Implementations.Create(t.Context(), s.Store, &implementationv1.CreateImplementationRequest{
		Parent: ws, ImplementationId: "crm", Implementation: &implementationv1.Implementation{},
	})
	require.NoError(t, err)
}

func TestADecisionThatCannotBeJudgedHoldsUpNoOther(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		open(t, db)
		now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		s := store.New(db, feed.New(db, feed.Config{}), func() time.Time { return now })
		makeCRM(t, s)
		broken, over := question(t, s, "broken", &implementationv1.Decision{}), question(t, s, "over", &implementationv1.Decision{})
		_, err := s.DecideDecision(t.Context(), nil, &implementationv1.DecideDecisionRequest{
			Name: over, Outcome: implementationv1.Decision_OUTCOME_CONDITIONAL_GO, Reason: "x",
			Conditions: []*implementationv1.DecisionCondition{{Id: "a", DisplayName: "a", DueTime: timestamppb.New(now.Add(time.Hour))}},
		})
		require.NoError(t, err)
		require.NoError(t, db.Tx(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE decisions SET message = $1 WHERE name = $2", []byte{0xff}, broken)
			return err
		}))
		now = now.Add(2 * time.Hour)
		require.ErrorContains(t, s.CheckDecisions(t.Context(), []string{broken, over}), "decisions/broken")
		d, err := store.Decisions.Load(t.Context(), db.Read(), over)
		require.NoError(t, err)
		require.Equal(t, implementationv1.Decision_EXPIRED, d.GetState())
	})
}

// meddling is a deployment service during whose answer somebody does something.
type meddling struct {
	gatev1.GateServiceClient

	meanwhile func()
}

func (m meddling) EvaluateGate(_ context.Context, req *gatev1.EvaluateGateRequest, _ ...grpc.CallOption) (*gatev1.Verdict, error) {
	m.meanwhile()
	return &gatev1.Verdict{Resource: req.GetResource(), State: gatev1.Verdict_PASS, EvaluatedAt: timestamppb.Now()}, nil
}

func TestAWordIsAboutTheWavesThatWereLookedAt(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := open(t, db)
		makeCRM(t, s)
		const pilot, everybody = ws + "/applications/crm/deployments/d1/waves/pilot", ws + "/applications/crm/deployments/d1/waves/everybody"
		name := question(t, s, "go", &implementationv1.Decision{Waves: []string{pilot}, Technical: []string{ws + "/environments/prod"}})
		bind := func() {
			_, err := s.UpdateDecision(t.Context(), &implementationv1.UpdateDecisionRequest{
				Decision: &implementationv1.Decision{Name: name, Waves: []string{pilot, everybody}}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"waves"}},
			})
			require.NoError(t, err)
		}
		say := &implementationv1.DecideDecisionRequest{Name: name, Outcome: implementationv1.Decision_OUTCOME_GO, Reason: "the pilot goes"}
		_, err := s.DecideDecision(t.Context(), meddling{meanwhile: bind}, say)
		require.Equal(t, "EVIDENCE_CHANGED", fault.ReasonOf(err), "%v", err)
		d, err := s.DecideDecision(t.Context(), meddling{meanwhile: func() {}}, say)
		require.NoError(t, err)
		require.Equal(t, []string{pilot, everybody}, d.GetRecords()[0].GetWaves())
	})
}
