package implementation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/smtptest"
)

// everything makes p-000 leave a trace in each part of the service.
func everything(t *testing.T, w *reachWorld) (draft string) {
	t.Helper()
	ctx := t.Context()
	cohort, training, _ := erasable(t, w)
	conn := w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}})

	// A seat in a session to come, an account, and a list of people that names it.
	fresh := w.training("fresh", 0)
	w.enrol(fresh, cohort)
	require.NoError(t, w.book(fresh, w.session(fresh, "monday", 24*time.Hour, 5), 0))
	_, err := w.accounts.RecordProvisionings(ctx, &implementationv1.RecordProvisioningsRequest{
		Parent: ws, Application: ws + "/applications/crm", Provisionings: []*implementationv1.Provisioning{{Person: person(0)}},
	})
	require.NoError(t, err)
	head, err := w.stakeholders.ListStakeholders(ctx, &implementationv1.ListStakeholdersRequest{Parent: theCRM})
	require.NoError(t, err)
	listed, err := w.communications.CreateCommunication(ctx, &implementationv1.CreateCommunicationRequest{
		Parent: theCRM, CommunicationId: "some", Communication: &implementationv1.Communication{
			Subject: "For some", Channel: implementationv1.Communication_MEETING, Audience: &implementationv1.Audience{People: []string{person(0), person(1)}, Stakeholders: []string{head.GetStakeholders()[0].GetName()}},
		},
	})
	require.NoError(t, err)

	// Usage, by name, and the wish not to be counted from some day on.
	a := adopting(w.world)
	a.plan("sales", cohort, w.clock.now().AddDate(0, 0, -9), training)
	a.used("quotes", a.day(-3), 0, 1, 2)
	_, err = a.usage.OptOut(ctx, &implementationv1.OptOutRequest{Person: person(0), Day: a.day(-1)})
	require.NoError(t, err)

	// An answer under its name, with words, and a link that was not used.
	surveys, waves := implementationv1.NewSurveyServiceClient(conn), implementationv1.NewSurveyWaveServiceClient(conn)
	q := &inquiry{world: w.world, surveys: surveys, waves: waves, responses: implementationv1.NewResponseServiceClient(w.server.Local())}
	s, err := surveys.CreateSurvey(ctx, &implementationv1.CreateSurveyRequest{Parent: ws, SurveyId: "named", Survey: &implementationv1.Survey{
		DisplayName: "Named", Owner: "users/carol", Attributed: true, Questions: []*implementationv1.Question{csatQuestion(), commentQuestion()},
	}})
	require.NoError(t, err)
	asked := w.cohort("asked", 7)
	tokens := q.open(q.draft(s.GetName(), "first", asked).GetName())
	require.NoError(t, q.submit(tokens[person(0)], append(happy(5), &implementationv1.Answer{Question: "words", Comment: "all well"})))
	q.open(q.draft(q.survey("anonymous", csatQuestion()), "first", asked).GetName())
	return listed.GetName()
}

func TestNoTableKnowsWhoWasErased(t *testing.T) {
	eachReach(t, &smtptest.Options{}, func(t *testing.T, w *reachWorld) {
		t.Helper()
		ctx := t.Context()
		draft := everything(t, w)
		before := w.dump()
		known := 0
		for table, text := range before {
			if tracesOf(table, text) {
				known++
			}
		}
		require.GreaterOrEqual(t, known, 10, "there is something to forget")

		receipt, err := w.erasures.ErasePerson(ctx, &implementationv1.ErasePersonRequest{Name: person(0)})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Erasure_DONE, receipt.GetState())
		for table, text := range w.dump() {
			require.False(t, tracesOf(table, text), "%s\n%s", table, text)
		}
		// What named the person besides others goes on without it.
		left, err := w.communications.GetCommunication(ctx, &implementationv1.GetCommunicationRequest{Name: draft})
		require.NoError(t, err)
		require.Equal(t, []string{person(1)}, left.GetAudience().GetPeople())
		require.Empty(t, left.GetAudience().GetStakeholders())
		_, err = w.communications.SendCommunication(ctx, &implementationv1.SendCommunicationRequest{Name: draft})
		require.NoError(t, err)
	})
}

// tracesOf says whether a table leads to p-000. Four may name the pseudonym, and say why: what happened, the receipt,
// the answers kept for requests that are repeated, and the place of the address, which is held so that it stays empty.
func tracesOf(table, text string) bool {
	switch table {
	case "implementation.events", "implementation.erasures", "implementation.request_ids", "implementation_contacts.contacts":
		return strings.Contains(text, address(0))
	default:
		return strings.Contains(text, "p-000") || strings.Contains(text, address(0))
	}
}
