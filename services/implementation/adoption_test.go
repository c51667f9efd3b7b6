package implementation_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

const (
	shown      = implementationv1.CohortAdoption_SHOWN
	suppressed = implementationv1.CohortAdoption_SUPPRESSED
	crmPlan    = ws + "/implementations/crm"
)

// adopters is a world with clients of what this is about.
type adopters struct {
	*world

	features implementationv1.FeatureServiceClient
	usage    implementationv1.UsageServiceClient
	adoption implementationv1.AdoptionServiceClient
}

func adopting(w *world) *adopters {
	conn := w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}})
	a := &adopters{
		world: w, features: implementationv1.NewFeatureServiceClient(conn),
		usage: implementationv1.NewUsageServiceClient(conn), adoption: implementationv1.NewAdoptionServiceClient(conn),
	}
	for id, kind := range map[string]implementationv1.Feature_Kind{
		"quotes": implementationv1.Feature_NEW, "orders": implementationv1.Feature_TASK, "old-crm": implementationv1.Feature_LEGACY,
	} {
		_, err := a.features.CreateFeature(w.Context(), &implementationv1.CreateFeatureRequest{Parent: ws, FeatureId: id, Feature: &implementationv1.Feature{Kind: kind}})
		require.NoError(w, err)
	}
	return a
}

// day is a day some days from the one on which tests begin.
func (a *adopters) day(offset int) string {
	return a.clock.now().AddDate(0, 0, offset).Format(time.DateOnly)
}

func (a *adopters) report(events ...*implementationv1.UsageEvent) *implementationv1.ReportUsageResponse {
	a.Helper()
	answer, err := a.usage.ReportUsage(a.Context(), &implementationv1.ReportUsageRequest{Parent: ws, Events: events})
	require.NoError(a, err)
	return answer
}

// used reports that people used a feature on a day.
func (a *adopters) used(feature, day string, people ...int) {
	a.Helper()
	var events []*implementationv1.UsageEvent
	for _, p := range people {
		events = append(events, &implementationv1.UsageEvent{Feature: feature, Day: day, Subject: person(p)})
	}
	answer := a.report(events...)
	require.Empty(a, answer.GetErrors())
	require.EqualValues(a, len(people), answer.GetAcceptedCount())
}

func (a *adopters) adoptionOf(start, end string) *implementationv1.Adoption {
	a.Helper()
	answer, err := a.adoption.GetAdoption(a.Context(), &implementationv1.GetAdoptionRequest{Parent: crmPlan, StartDay: start, EndDay: end})
	require.NoError(a, err)
	return answer
}

// last is adoption on one day, of the only cohort plan.
func (a *adopters) last(day string) *implementationv1.AdoptionPoint {
	a.Helper()
	answer := a.adoptionOf(day, day)
	require.Len(a, answer.GetCohorts(), 1)
	return answer.GetCohorts()[0].GetPoints()[0]
}

func upTo(n int) []int { return between(0, n) }

func between(from, to int) (all []int) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

func key(user string) string {
	mac := hmac.New(sha256.New, []byte("a secret of the applications"))
	mac.Write([]byte(user))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestAdoptionEqualsACountOverSets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := adopting(w)
		sales := a.cohort("sales", 30)
		a.plan("sales", sales, a.clock.now().AddDate(0, 0, -20))
		random := rand.New(rand.NewPCG(1, 1))
		used := map[int]map[int]bool{}
		for d := -70; d < 0; d++ {
			used[d] = map[int]bool{}
			for p := range 40 { // some belong to nobody's cohort
				if random.Float64() < .08 && p < 30 {
					used[d][p] = true
				}
			}
			for p := range used[d] {
				a.used([]string{"quotes", "orders"}[random.IntN(2)], a.day(d), p)
			}
		}
		answer := a.adoptionOf(a.day(-40), a.day(-1))
		cohort := answer.GetCohorts()[0]
		require.Equal(t, shown, cohort.GetDisclosure())
		require.Len(t, cohort.GetPoints(), 40)
		for i, point := range cohort.GetPoints() {
			want := 0
			for p := range 30 {
				on := 0
				for back := range 28 {
					if used[-40+i-back][p] {
						on++
					}
				}
				if on >= 2 {
					want++
				}
			}
			require.EqualValues(t, 30, point.GetEligible())
			require.EqualValues(t, want, point.GetActive(), point.GetDay())
			require.InDelta(t, float64(want)/30, point.GetShare(), 1e-12)
		}
		require.Equal(t, cohort.GetPoints()[39].GetActive(), answer.GetTotal().GetPoints()[39].GetActive(), "one cohort is all of it")
	})
}

func TestEventsAreTakenOneByOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := adopting(w)
		a.cohort("sales", 3)
		answer := a.report(
			&implementationv1.UsageEvent{Feature: "quotes", Subject: "people/p-000"},
			&implementationv1.UsageEvent{Feature: "nope", Subject: person(0)},
			&implementationv1.UsageEvent{Feature: ws + "/features/orders", Subject: key("ada"), Day: a.day(-400)},
			&implementationv1.UsageEvent{Feature: "quotes", Subject: "ada@example.com"},
			&implementationv1.UsageEvent{Feature: "quotes", Subject: "people/p-999"},
			&implementationv1.UsageEvent{Feature: "quotes", Subject: person(1), Day: a.day(2)},
			&implementationv1.UsageEvent{Feature: "quotes", Subject: person(1), Day: a.day(-401)},
			&implementationv1.UsageEvent{Feature: "quotes", Subject: person(1), Day: "2026-02-30"},
			&implementationv1.UsageEvent{Feature: "workspaces/other/features/quotes", Subject: person(1)},
			&implementationv1.UsageEvent{Feature: "quotes", Subject: "workspaces/other/people/p-000"},
			&implementationv1.UsageEvent{Feature: "quotes", Subject: person(1), Day: a.day(1)},
		)
		require.EqualValues(t, 3, answer.GetAcceptedCount())
		require.EqualValues(t, 8, answer.GetRejectedCount())
		var got []string
		for _, e := range answer.GetErrors() {
			got = append(got, fmt.Sprint(e.GetIndex(), " ", e.GetField(), " ", e.GetReason()))
			require.NotContains(t, e.GetMessage(), "ada@", "what may be an address is not repeated")
		}
		require.Equal(t, []string{
			"1 feature FEATURE_UNKNOWN", "3 subject SUBJECT_INVALID", "4 subject PERSON_UNKNOWN", "5 day DATE_INVALID", "6 day DATE_INVALID",
			"7 day DATE_INVALID", "8 feature FEATURE_UNKNOWN", "9 subject SUBJECT_INVALID",
		}, got)

		_, err := a.usage.ReportUsage(t.Context(), &implementationv1.ReportUsageRequest{Parent: ws, Events: make([]*implementationv1.UsageEvent, 10001)})
		require.Equal(t, fault.KindInvalid, fault.KindOf(err))
	})
}

func TestBatchesOverAStreamAreAnsweredOneByOne(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := adopting(w)
		a.plan("sales", a.cohort("sales", 20), a.clock.now().AddDate(0, 0, -9))
		stream, err := a.usage.IngestUsage(t.Context())
		require.NoError(t, err)
		for d := range 3 {
			batch := &implementationv1.IngestUsageRequest{Parent: ws, Sequence: int64(10 + d)}
			for p := range 12 {
				batch.Events = append(batch.Events, &implementationv1.UsageEvent{Feature: "quotes", Subject: person(p), Day: a.day(d - 5)})
			}
			batch.Events = append(batch.Events, &implementationv1.UsageEvent{})
			require.NoError(t, stream.Send(batch))
			answer, err := stream.Recv()
			require.NoError(t, err)
			require.EqualValues(t, 10+d, answer.GetSequence())
			require.EqualValues(t, 12, answer.GetAcceptedCount())
			require.EqualValues(t, 1, answer.GetRejectedCount())
			require.EqualValues(t, 12, answer.GetErrors()[0].GetIndex())
		}
		require.EqualValues(t, 12, a.last(a.day(-1)).GetActive(), "what was answered is counted")
		require.NoError(t, stream.Send(&implementationv1.IngestUsageRequest{Parent: "workspaces/other"}))
		_, err = stream.Recv()
		require.Equal(t, "OTHER_WORKSPACE", fault.ReasonOf(err))
	})
}

func TestKeysCountForTheirPersonAlsoForThePast(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := adopting(w)
		a.plan("sales", a.cohort("sales", 20), a.clock.now().AddDate(0, 0, -9))
		for p := range 15 { // two applications with names of their own for people, and one that knows ours
			user := fmt.Sprint("user-", p)
			answer := a.report(
				&implementationv1.UsageEvent{Feature: "quotes", Subject: key(user), Day: a.day(-3)},
				&implementationv1.UsageEvent{Feature: "orders", Subject: key("erp/" + user), Day: a.day(-2)},
			)
			require.EqualValues(t, 2, answer.GetAcceptedCount())
		}
		require.Zero(t, a.last(a.day(-1)).GetActive(), "a key that is bound to nobody is in no cohort")

		bind := func(csv string, check bool) *implementationv1.ImportResult {
			result, err := a.usage.BindSubjects(t.Context(), &implementationv1.BindSubjectsRequest{Parent: ws, Csv: []byte(csv), ValidateOnly: check})
			require.NoError(t, err)
			return result
		}
		csv := "key,person\n"
		for p := range 15 {
			csv += fmt.Sprintf("%s,p-%03d\n%s,%s\n", key(fmt.Sprint("user-", p)), p, key(fmt.Sprint("erp/user-", p)), person(p))
		}
		require.EqualValues(t, 30, bind(csv, true).GetCreatedCount())
		require.Zero(t, a.last(a.day(-1)).GetActive(), "a check changes nothing")
		require.EqualValues(t, 30, bind(csv, false).GetCreatedCount())
		require.EqualValues(t, 30, bind(csv, false).GetUnchangedCount())
		require.EqualValues(t, 15, a.last(a.day(-1)).GetActive(), "two keys of a person are one person, active on two days")

		a.report(&implementationv1.UsageEvent{Feature: "quotes", Subject: key("user-0"), Day: a.day(-1)})
		a.used("quotes", a.day(-1), 16, 17)
		a.used("quotes", a.day(-2), 16, 17)
		require.EqualValues(t, 17, a.last(a.day(-1)).GetActive())

		bad := bind("key,person\n"+key("user-0")+",p-001\nnope,p-002\n"+key("new")+",p-999\n"+key("twice")+",p-001\n"+key("twice")+",p-002\n", false)
		var reasons []string
		for _, e := range bad.GetErrors() {
			reasons = append(reasons, fmt.Sprint(e.GetLine(), " ", e.GetReason()))
		}
		require.Equal(t, []string{"2 KEY_BOUND", "3 KEY_INVALID", "4 PERSON_UNKNOWN", "6 DUPLICATE_ROW"}, reasons)
		require.EqualValues(t, 17, a.last(a.day(-1)).GetActive())
	})
}

func TestWhoOptsOutLeavesBothNumbers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := adopting(w)
		a.plan("sales", a.cohort("sales", 40), a.clock.now().AddDate(0, 0, -30))
		a.used("quotes", a.day(-12), upTo(30)...)
		a.used("quotes", a.day(-11), upTo(30)...)
		require.EqualValues(t, 40, a.last(a.day(-1)).GetEligible())
		optOut := func(p int) {
			consent, err := a.usage.OptOut(t.Context(), &implementationv1.OptOutRequest{Person: person(p), Day: a.day(-5)})
			require.NoError(t, err)
			require.True(t, consent.GetOptedOut())
		}
		for p := range 9 {
			optOut(25 + p)
			point := a.last(a.day(-1))
			require.EqualValues(t, p+1, point.GetOptedOut(), "their number is shown")
			require.Equal(t, []int64{40, 30}, []int64{point.GetEligible(), point.GetActive()}, "the group waits, or else the last one's use would follow")
		}
		optOut(34)
		optOut(34)
		point := a.last(a.day(-1))
		require.Equal(t, []int64{30, 25, 10}, []int64{point.GetEligible(), point.GetActive(), point.GetOptedOut()})
		require.EqualValues(t, 40, a.last(a.day(-6)).GetEligible(), "before they left they were there")

		a.used("quotes", a.day(-1), upTo(40)...)
		a.used("quotes", a.day(0), upTo(40)...)
		for p := range 10 {
			_, err := a.usage.OptIn(t.Context(), &implementationv1.OptInRequest{Person: person(25 + p)})
			require.NoError(t, err)
		}
		point = a.last(a.day(0))
		require.Equal(t, []int64{40, 30 + 5, 0}, []int64{point.GetEligible(), point.GetActive(), point.GetOptedOut()}, "back again with what was used before; nothing was kept of what they used while they were out")

		_, err := a.usage.OptIn(t.Context(), &implementationv1.OptInRequest{Person: person(1)})
		require.Equal(t, "NOT_OPTED_OUT", fault.ReasonOf(err))
		_, err = a.usage.OptOut(t.Context(), &implementationv1.OptOutRequest{Person: person(1), Day: a.day(1)})
		require.Equal(t, "DATE_INVALID", fault.ReasonOf(err))
		_, err = a.usage.OptOut(t.Context(), &implementationv1.OptOutRequest{Person: person(999)})
		require.Equal(t, fault.KindNotFound, fault.KindOf(err))
	})
}

func TestNothingIsToldOfSmallGroups(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := adopting(w)
		sales, tiny := a.cohort("sales", 20), a.cohort("tiny", 9)
		probe := a.cohort("probe", 19) // sales without one
		for id, cohort := range map[string]string{"a-sales": sales, "b-tiny": tiny, "c-probe": probe} {
			a.plan(id, cohort, a.clock.now().AddDate(0, 0, -30))
		}
		for d := -3; d < 0; d++ {
			a.used("quotes", a.day(d), upTo(20)...)
		}
		answer := a.adoptionOf(a.day(-2), a.day(-1))
		require.Equal(t, shown, answer.GetCohorts()[0].GetDisclosure())
		for _, c := range answer.GetCohorts()[1:] {
			require.Equal(t, suppressed, c.GetDisclosure(), c.GetCohort())
			require.Nil(t, c.GetSpeed())
			require.Nil(t, c.GetUtilisation())
			require.Nil(t, c.GetProficiency())
			for _, point := range c.GetPoints() {
				require.Equal(t, suppressed, point.GetDisclosure())
				require.Zero(t, point.GetEligible()+point.GetActive())
				require.Nil(t, point.Share)
			}
		}
		require.EqualValues(t, 20, answer.GetTotal().GetPoints()[0].GetEligible(), "a total is of those who are shown")
		require.EqualValues(t, 10, answer.GetSmallestGroup())
		forecast, err := a.adoption.ForecastAdoption(t.Context(), &implementationv1.ForecastAdoptionRequest{Parent: crmPlan, CohortPlan: crmPlan + "/cohortPlans/b-tiny"})
		require.NoError(t, err)
		require.Equal(t, implementationv1.CohortForecast_NONE, forecast.GetCohorts()[0].GetBasis())
		require.Zero(t, forecast.GetCohorts()[0].GetEligible())
	})
}

// An attacker who may change memberships asks before and after somebody is taken out, in the past as well as now.
func TestMovingSomebodyDoesNotTellOfTheirUse(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := adopting(w)
		sales := a.cohort("sales", 25)
		a.plan("sales", sales, a.clock.now().AddDate(0, 0, -30))
		a.used("quotes", a.day(-3), upTo(11)...)
		a.used("quotes", a.day(-2), upTo(11)...)
		before := a.adoptionOf(a.day(-5), a.day(-1)).GetCohorts()[0]
		page, err := a.memberships.ListMemberships(t.Context(), &implementationv1.ListMembershipsRequest{Parent: sales, Filter: `person = "` + person(3) + `"`})
		require.NoError(t, err)
		_, err = a.memberships.DeleteMembership(t.Context(), &implementationv1.DeleteMembershipRequest{Name: page.GetMemberships()[0].GetName()})
		require.NoError(t, err)
		after := a.adoptionOf(a.day(-5), a.day(-1)).GetCohorts()[0]
		for i := range before.GetPoints() {
			require.Equal(t, before.GetPoints()[i].GetActive(), after.GetPoints()[i].GetActive())
			require.Equal(t, before.GetPoints()[i].GetEligible(), after.GetPoints()[i].GetEligible())
		}
		require.Equal(t, before.GetSpeed().GetAdopted(), after.GetSpeed().GetAdopted())
	})
}

func TestWhatAPlanSaysIsWhatIsCounted(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := adopting(w)
		name := a.plan("sales", a.cohort("sales", 20), a.clock.now().AddDate(0, 0, -50))
		update := func(plan *implementationv1.AdoptionPlan) error {
			_, err := a.plans.UpdateCohortPlan(t.Context(), &implementationv1.UpdateCohortPlanRequest{
				CohortPlan: &implementationv1.CohortPlan{Name: name, Adoption: plan}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"adoption"}},
			})
			return err
		}
		for reason, plan := range map[string]*implementationv1.AdoptionPlan{
			"WINDOW_INVALID": {WindowDays: 7, ActiveDays: 8},
			"CURVE_INVALID": {PlannedCurve: &implementationv1.PlannedCurve{Curve: &implementationv1.PlannedCurve_Points{Points: &implementationv1.PlannedPoints{
				Points: []*implementationv1.PlannedPoint{{Day: 9, Share: .1}, {Day: 9, Share: .2}},
			}}}},
			"REFERENCE_NOT_FOUND": {Features: []string{ws + "/features/nope"}},
			"OTHER_WORKSPACE":     {LegacyFeatures: []string{"workspaces/other/features/quotes"}},
			"TASKS_INVALID":       {TaskStandard: &implementationv1.TaskStandard{Features: []string{ws + "/features/orders"}, Tasks: 2}},
		} {
			require.Equal(t, reason, fault.ReasonOf(update(plan)))
		}
		require.NoError(t, update(&implementationv1.AdoptionPlan{
			Target: .8, WindowDays: 7, ActiveDays: 1, Features: []string{ws + "/features/quotes"}, TaskStandard: &implementationv1.TaskStandard{Days: 2},
			PlannedCurve: &implementationv1.PlannedCurve{Curve: &implementationv1.PlannedCurve_Logistic{Logistic: &implementationv1.LogisticCurve{MidpointDay: 49, RiseDays: 20}}},
		}))
		_, err := a.features.DeleteFeature(t.Context(), &implementationv1.DeleteFeatureRequest{Name: ws + "/features/quotes"})
		require.Equal(t, "RESOURCE_IN_USE", fault.ReasonOf(err))

		for d := -50; d < 0; d++ {
			a.used("quotes", a.day(d), upTo(min(16, 50+d))...)
		}
		a.used("orders", a.day(-1), upTo(6)...)
		a.used("orders", a.day(-2), upTo(4)...)
		a.used("old-crm", a.day(-14), 1, 2, 3)
		a.used("old-crm", a.day(-15), 4, 5, 6)
		cohort := a.adoptionOf(a.day(-1), a.day(-1)).GetCohorts()[0]
		point := cohort.GetPoints()[0]
		require.EqualValues(t, 16, point.GetActive())
		require.InDelta(t, .4, point.GetPlanned(), 1e-9)
		require.Equal(t, []int64{4, 16}, []int64{cohort.GetProficiency().GetProficient(), cohort.GetProficiency().GetActive()})
		require.EqualValues(t, 3, cohort.GetLegacy().GetActive(), "the old way within 14 days")
		require.Equal(t, implementationv1.Utilisation_PLATEAU, cohort.GetUtilisation().GetTrend())
		require.InDelta(t, .8, cohort.GetUtilisation().GetValue(), 1e-9)
		speed := cohort.GetSpeed()
		require.Equal(t, []int64{20, 16}, []int64{speed.GetPeople(), speed.GetAdopted()})
		require.EqualValues(t, 10, speed.GetMedianDays(), "the n-th of twenty began on day n")

		forecast, err := a.adoption.ForecastAdoption(t.Context(), &implementationv1.ForecastAdoptionRequest{Parent: crmPlan, Weeks: 4})
		require.NoError(t, err)
		one := forecast.GetCohorts()[0]
		require.EqualValues(t, 7, one.GetWeeks())
		require.Len(t, one.GetPoints(), 11)
		require.InDelta(t, .8, one.GetPoints()[6].GetActual(), 1e-9)
		require.NotNil(t, one.GetPoints()[8].Planned)
	})
}

func TestAForecastNeedsSixWeeks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := adopting(w)
		name := a.plan("sales", a.cohort("sales", 60), a.clock.now().AddDate(0, 0, -41))
		forecast := func() *implementationv1.CohortForecast {
			f, err := a.adoption.ForecastAdoption(t.Context(), &implementationv1.ForecastAdoptionRequest{Parent: crmPlan})
			require.NoError(t, err)
			return f.GetCohorts()[0]
		}
		require.Equal(t, implementationv1.CohortForecast_NONE, forecast().GetBasis())
		_, err := a.plans.UpdateCohortPlan(t.Context(), &implementationv1.UpdateCohortPlanRequest{CohortPlan: &implementationv1.CohortPlan{
			Name: name, GoLiveTime: timestamppb.New(a.clock.now().AddDate(0, 0, -41)), Adoption: &implementationv1.AdoptionPlan{
				Target: .7, ActiveDays: 1, PlannedCurve: &implementationv1.PlannedCurve{Curve: &implementationv1.PlannedCurve_Points{Points: &implementationv1.PlannedPoints{
					Points: []*implementationv1.PlannedPoint{{Day: 70, Share: .7}},
				}}},
			},
		}})
		require.NoError(t, err)
		early := forecast()
		require.Equal(t, implementationv1.CohortForecast_PLANNED_CURVE_ONLY, early.GetBasis())
		require.Contains(t, early.GetReason(), "six full weeks")
		begun := 0
		for week, n := range []int{2, 3, 5, 8, 9, 7} {
			a.used("quotes", a.day(-41+7*week), between(begun, begun+n)...)
			begun += n
		}
		a.clock.advance(24 * time.Hour)
		f := forecast()
		require.Equal(t, implementationv1.CohortForecast_BASS, f.GetBasis(), f.GetReason())
		require.EqualValues(t, 60, f.GetEligible())
		require.LessOrEqual(t, f.GetM(), 60.0)
		require.InDelta(t, 34.0/60, f.GetPoints()[5].GetActual(), 1e-9)
		require.NotEmpty(t, f.GetTargetDayP80())
		require.LessOrEqual(t, f.GetTargetDayP50(), f.GetTargetDayP80())
		require.InDelta(t, f.GetPoints()[9].GetP50(), forecast().GetPoints()[9].GetP50(), 0, "the same for everybody who asks")
	})
}

func TestWhoIsErasedIsCountedNoMore(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := adopting(w)
		a.plan("sales", a.cohort("sales", 20), a.clock.now().AddDate(0, 0, -9))
		a.used("quotes", a.day(-3), upTo(12)...)
		a.used("quotes", a.day(-2), upTo(12)...)
		point := a.last(a.day(-1))
		require.Equal(t, []int64{12, 20}, []int64{point.GetActive(), point.GetEligible()})
		conn := w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}})
		_, err := implementationv1.NewErasureServiceClient(conn).ErasePerson(t.Context(), &implementationv1.ErasePersonRequest{Name: person(3)})
		require.NoError(t, err)
		point = a.last(a.day(-1))
		require.Equal(t, []int64{11, 19}, []int64{point.GetActive(), point.GetEligible()})
		answer := a.report(&implementationv1.UsageEvent{Feature: "quotes", Subject: person(3)})
		require.Equal(t, "PERSON_UNKNOWN", answer.GetErrors()[0].GetReason(), "also where the person was remembered")
	})
}
