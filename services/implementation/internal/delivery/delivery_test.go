package delivery_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/delivery"
)

// kinds are the singulars of all resources of both services, by whether their events may leave. A kind that is new
// belongs into one of the two, and somebody has to say into which.
func kinds() map[string]bool {
	all := map[string]bool{}
	for leaves := range strings.FieldsSeq(`agent analysis application deployment deploymentPlan environment feedback gateEvaluation incident installation
		migrationRun override policy release target wave blob measure
		baseline budgetLine challenge cohort cohortPlan comment communication decision detectorPolicy eventDelivery feature forecast implementation
		ledgerEntry outcome proposal resource scorecardSnapshot session signal stage subscription survey surveyWave task training calendarFeed planTemplate`) {
		all[leaves] = true
	}
	for never := range strings.FieldsSeq(`enrolment completion contact stakeholder stanceChange provisioning mail erasure membership person surveyResponse`) {
		all[never] = false
	}
	return all
}

func TestWhatIsAboutSinglePeopleNeverLeaves(t *testing.T) {
	known, seen := kinds(), 0
	everything := &implementationv1.Subscription{Name: ws + "/subscriptions/all", CreateTime: timestamppb.New(time.Unix(0, 0))}
	protoregistry.GlobalTypes.RangeMessages(func(m protoreflect.MessageType) bool {
		desc := m.Descriptor()
		annotation, ok := proto.GetExtension(desc.Options(), annotations.E_Resource).(*annotations.ResourceDescriptor)
		service := strings.TrimPrefix(string(desc.ParentFile().Package()), "golive.")
		if !ok || annotation.GetSingular() == "" || !strings.HasSuffix(service, ".v1") {
			return true
		}
		seen++
		leaves, said := known[annotation.GetSingular()]
		require.True(t, said, "whether events of %s leave is not said; decide and add it to kinds", annotation.GetSingular())
		service, _, _ = strings.Cut(service, ".")
		for _, pattern := range annotation.GetPattern() {
			name := strings.NewReplacer("{workspace}", "default").Replace(pattern)
			e := &eventv1.Event{Resource: name, Type: service + "." + annotation.GetSingular() + ".updated", Time: timestamppb.Now()}
			require.Equal(t, leaves, delivery.Wants(everything, e), "%s as %s", e.GetType(), name)
			require.Equal(t, !leaves, delivery.Private(e), e.GetType())
			e.Type = service + ".whatever.imported" // by its name alone
			require.Equal(t, leaves, delivery.Wants(everything, e), name)
		}
		return true
	})
	require.Greater(t, seen, 40)
	for _, kind := range []string{
		"implementation.membership.imported", "implementation.enrolment.recorded", "implementation.person.imported", "implementation.stakeholder.stanceRecorded",
		"implementation.surveyResponses.read", "implementation.surveyLinks.sent", "implementation.provisioning.recorded", "implementation.erasure.completed",
	} {
		require.True(t, delivery.PrivateType(kind), kind)
		e := &eventv1.Event{Resource: ws + "/cohorts/pilot", Type: kind, Time: timestamppb.Now()}
		require.False(t, delivery.Wants(everything, e), "by its type alone: %s", kind)
	}
}

func TestASubscriptionGetsWhatItAskedFor(t *testing.T) {
	created := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	wave := ws + "/applications/crm/deployments/d-1/waves/1"
	for _, c := range []struct {
		name             string
		types, resources []string
		kind, resource   string
		at               time.Time
		want             bool
	}{
		{"everything", nil, nil, "deployment.wave.sealed", wave, created, true},
		{"its type", []string{"deployment.wave.sealed"}, nil, "deployment.wave.sealed", wave, created, true},
		{"a prefix", []string{"deployment.wave."}, nil, "deployment.wave.sealed", wave, created, true},
		{"a service", []string{"deployment."}, nil, "deployment.wave.sealed", wave, created, true},
		{"another type", []string{"deployment.wave.failed"}, nil, "deployment.wave.sealed", wave, created, false},
		{"no prefix without its dot", []string{"deployment.wave"}, nil, "deployment.wave.sealed", wave, created, false},
		{"its resource", nil, []string{wave}, "deployment.wave.sealed", wave, created, true},
		{"what is above", nil, []string{ws + "/applications/crm"}, "deployment.wave.sealed", wave, created, true},
		{"a neighbour", nil, []string{ws + "/applications/cr"}, "deployment.wave.sealed", wave, created, false},
		{"another workspace", nil, nil, "deployment.wave.sealed", "workspaces/default2/applications/crm", created, false},
		{"just before its time", nil, nil, "deployment.wave.sealed", wave, created.Add(-time.Second), false},
		{"held up for long", nil, nil, "deployment.wave.sealed", wave, created.Add(-time.Hour), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			sub := &implementationv1.Subscription{Name: ws + "/subscriptions/s", Types: c.types, Resources: c.resources, CreateTime: timestamppb.New(created)}
			require.Equal(t, c.want, delivery.Wants(sub, &eventv1.Event{Resource: c.resource, Type: c.kind, Time: timestamppb.New(c.at)}))
		})
	}
}

// A subscription with more filters gets no more than one with fewer.
func TestFiltersOnlyTakeAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		segment := rapid.SampledFrom([]string{"applications", "people", "crm", "waves", "1", "enrolments"})
		e := &eventv1.Event{
			Resource: ws + "/" + strings.Join(rapid.SliceOfN(segment, 1, 6).Draw(t, "path"), "/"), Time: timestamppb.Now(),
			Type: rapid.SampledFrom([]string{"deployment.wave.sealed", "implementation.task.updated", "implementation.membership.created"}).Draw(t, "type"),
		}
		sub := &implementationv1.Subscription{
			Name: ws + "/subscriptions/s", Types: rapid.SliceOf(rapid.SampledFrom([]string{"deployment.", "implementation.task.", "implementation.membership."})).Draw(t, "types"),
			Resources: rapid.SliceOf(rapid.Just(ws+"/applications/crm")).Draw(t, "resources"), CreateTime: timestamppb.New(time.Unix(0, 0)),
		}
		wide := &implementationv1.Subscription{Name: sub.GetName(), CreateTime: sub.GetCreateTime()}
		if delivery.Wants(sub, e) && !delivery.Wants(wide, e) || delivery.Wants(sub, e) && delivery.Private(e) {
			t.Fatalf("%v gets %v", sub, e)
		}
	})
}

func TestAttemptsFollowTheSchedule(t *testing.T) {
	down := delivery.Outcome{Code: 500, Error: "it answered 500"}
	var total time.Duration
	for n, want := range []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	} {
		verdict, wait := delivery.Judge(down, n+1, 0)
		require.Equal(t, delivery.Again, verdict)
		require.Equal(t, want, wait)
		_, late := delivery.Judge(down, n+1, 1)
		require.InDelta(t, 1.1*want.Seconds(), late.Seconds(), 0.001)
		total += wait
	}
	require.Greater(t, total, 3*24*time.Hour)
	verdict, _ := delivery.Judge(down, 10, 0)
	require.Equal(t, delivery.Failed, verdict, "the tenth was the last")
	verdict, _ = delivery.Judge(delivery.Outcome{Error: "gone", Gone: true}, 1, 0)
	require.Equal(t, delivery.Failed, verdict)
	verdict, _ = delivery.Judge(delivery.Outcome{Code: 204}, 10, 0)
	require.Equal(t, delivery.Delivered, verdict)
	_, wait := delivery.Judge(delivery.Outcome{Error: "busy", RetryAfter: time.Hour}, 1, 0)
	require.Equal(t, time.Hour, wait)
	_, wait = delivery.Judge(delivery.Outcome{Error: "busy", RetryAfter: time.Second}, 2, 0)
	require.Equal(t, 5*time.Minute, wait, "never sooner than the schedule")
	_, wait = delivery.Judge(delivery.Outcome{Error: "busy", RetryAfter: 365 * 24 * time.Hour}, 1, 0)
	require.Equal(t, 24*time.Hour, wait, "nobody asks for a year")
}

func TestWhatAnAnswerMeans(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		status int
		after  string
		taken  bool
		gone   bool
		wait   time.Duration
	}{
		{200, "", true, false, 0},
		{204, "", true, false, 0},
		{302, "", false, false, 0},
		{400, "", false, false, 0},
		{410, "", false, true, 0},
		{429, "120", false, false, 2 * time.Minute},
		{503, "Mon, 02 Mar 2026 09:10:00 GMT", false, false, 10 * time.Minute},
		{503, "Mon, 02 Mar 2020 09:10:00 GMT", false, false, 0},
		{503, "soon", false, false, 0},
		{503, "-5", false, false, 0},
		{429, "99999999", false, false, 24 * time.Hour},
		{500, "120", false, false, 0},
	} {
		o := delivery.Answered(c.status, http.Header{"Retry-After": {c.after}}, now)
		require.Equal(t, c.taken, o.Error == "", "%d", c.status)
		require.Equal(t, c.gone, o.Gone, "%d", c.status)
		require.Equal(t, c.wait, o.RetryAfter, "%d %s", c.status, c.after)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "120", "-1", "1e9", "Mon, 02 Mar 2026 09:10:00 GMT", "4294967296", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		wait := delivery.Answered(503, http.Header{"Retry-After": {text}}, time.Unix(0, 0)).RetryAfter
		if wait < 0 || wait > 24*time.Hour {
			t.Fatalf("%q makes it wait %s", text, wait)
		}
	})
}

func TestWordsForPeople(t *testing.T) {
	e := event(t, "implementation.cohortPlan.wentLive", ws+"/implementations/crm/cohortPlans/pilot", nil)
	subject, text := delivery.Words(e)
	require.Equal(t, "Cohort plan went live: crm › pilot", subject)
	require.Contains(t, text, "Why: because of it\n")
	require.Contains(t, text, "golive describe "+ws+"/implementations/crm/cohortPlans/pilot")
	for resource, want := range map[string]string{
		ws + "/implementations/crm/decisions/go/verdict": "golive why " + ws + "/implementations/crm/decisions/go\n",
		ws + "/implementations/crm/adoption":             "golive describe " + ws + "/implementations/crm\n",
		ws + "/usage":                                    "",
	} {
		_, text := delivery.Words(event(t, "implementation.verdict.changed", resource, nil))
		require.Equal(t, want != "", strings.Contains(text, "golive"), resource)
		require.Contains(t, text, want)
	}
	decided := event(t, "implementation.decision.decided", ws+"/implementations/crm/decisions/go", &implementationv1.Decision{State: implementationv1.Decision_CONDITIONAL_GO})
	_, text = delivery.Words(decided)
	require.Contains(t, text, "Now: CONDITIONAL GO\n")
	chat, err := delivery.Chat(decided)
	require.NoError(t, err)
	require.Contains(t, string(chat), `\nCONDITIONAL GO\nbecause of it\n`)
	e.Cause = "<!channel> & *all* <https://evil.example|click>"
	chat, err = delivery.Chat(e)
	require.NoError(t, err)
	require.NotContains(t, string(chat), "<!channel>")
	require.NotContains(t, string(chat), "<https")
}

func TestNoReceiverLearnsWhereAnotherIs(t *testing.T) {
	for name, sub := range map[string]*implementationv1.Subscription{
		"a web address": {Destination: &implementationv1.Subscription_Webhook{Webhook: &implementationv1.WebhookDestination{Url: "https://other.example.com/?token=hush"}}},
		"a mailbox":     {Destination: &implementationv1.Subscription_Email{Email: &implementationv1.EmailDestination{Recipients: []string{"hush@other.example.com"}}}},
	} {
		sub.Name, sub.DisplayName = ws+"/subscriptions/other", "The other one"
		after, err := anypb.New(sub)
		require.NoError(t, err)
		body, err := delivery.CloudEvent(&eventv1.Event{Token: "1", Resource: sub.GetName(), Type: "implementation.subscription.created", Time: timestamppb.Now(), After: after})
		require.NoError(t, err)
		require.Contains(t, string(body), "The other one", name)
		require.NotContains(t, string(body), "example.com", name)
	}
}

func TestNobodyIsNamedInTheMiddleOfAText(t *testing.T) {
	for _, about := range []string{
		"people/hush", "contacts/hush", "cohorts/pilot/memberships/hush", "trainings/basics/enrolments/hush", "trainings/basics/enrolments/hush/completions/hush",
		"implementations/crm/stakeholders/hush", "implementations/crm/provisionings/hush", "mails/hush", "erasures/hush",
	} {
		for _, text := range []string{"Ask %s.", "%s", "(%s)", "see %s, please", "golive describe %s\n"} {
			event := &eventv1.Event{Token: "1", Resource: ws + "/cohorts/pilot", Type: "implementation.cohort.updated", Time: timestamppb.Now(), Cause: fmt.Sprintf(text, ws+"/"+about)}
			body, err := delivery.CloudEvent(event)
			require.NoError(t, err)
			require.Contains(t, string(body), strings.TrimSpace(fmt.Sprintf(text, "somebody")))
			require.NotContains(t, string(body), "hush", about)
		}
	}
	kept := &eventv1.Event{Token: "1", Resource: ws + "/cohorts/pilot", Type: "implementation.cohort.updated", Time: timestamppb.Now(), Cause: "After " + ws + "/implementations/crm/tasks/train."}
	body, err := delivery.CloudEvent(kept)
	require.NoError(t, err)
	require.Contains(t, string(body), "After "+ws+"/implementations/crm/tasks/train.")
}
