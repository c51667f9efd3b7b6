package implementation_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/smtptest"
)

func TestContactsAreKeptApart(t *testing.T) {
	eachReach(t, nil, func(t *testing.T, w *reachWorld) {
		t.Helper()
		ctx := t.Context()
		w.cohort("sales", 3)
		set, err := w.contacts.SetContact(ctx, &implementationv1.SetContactRequest{Name: contactName(0), Email: " Ada@People.Example.com ", Language: "de-ch", RequestId: "one"})
		require.NoError(t, err)
		require.Equal(t, "Ada@people.example.com", set.GetEmail())
		require.Equal(t, "de-CH", set.GetLanguage())
		require.Equal(t, person(0), set.GetPerson())
		_, err = w.contacts.SetContact(ctx, &implementationv1.SetContactRequest{Name: contactName(0), Email: "x@people.example.com", Etag: "stale"})
		require.Equal(t, "ETAG_MISMATCH", fault.ReasonOf(err))
		w.clock.advance(time.Second)
		out, err := w.contacts.OptOutContact(ctx, &implementationv1.OptOutContactRequest{Name: contactName(0), Etag: set.GetEtag()})
		require.NoError(t, err)
		require.True(t, out.GetMailOptOut())
		set, err = w.contacts.SetContact(ctx, &implementationv1.SetContactRequest{Name: contactName(0), Email: "ada2@people.example.com"})
		require.NoError(t, err)
		require.True(t, set.GetMailOptOut(), "a new address is no new wish")
		in, err := w.contacts.OptInContact(ctx, &implementationv1.OptInContactRequest{Name: contactName(0)})
		require.NoError(t, err)
		require.False(t, in.GetMailOptOut())
		rehearsed, err := w.contacts.SetContact(ctx, &implementationv1.SetContactRequest{Name: contactName(1), Email: "bob@people.example.com", ValidateOnly: true})
		require.NoError(t, err)
		require.Equal(t, "bob@people.example.com", rehearsed.GetEmail())

		w.reachable(1, 3)
		all, err := w.contacts.ListContacts(ctx, &implementationv1.ListContactsRequest{Parent: ws, PageSize: 2})
		require.NoError(t, err)
		require.Len(t, all.GetContacts(), 2)
		rest, err := w.contacts.ListContacts(ctx, &implementationv1.ListContactsRequest{Parent: ws, PageSize: 2, PageToken: all.GetNextPageToken()})
		require.NoError(t, err)
		require.Len(t, rest.GetContacts(), 1)
		_, err = w.contacts.DeleteContact(ctx, &implementationv1.DeleteContactRequest{Name: contactName(2)})
		require.NoError(t, err)
		_, err = w.contacts.GetContact(ctx, &implementationv1.GetContactRequest{Name: contactName(2)})
		require.Equal(t, "RESOURCE_NOT_FOUND", fault.ReasonOf(err))

		for table, text := range w.dump() {
			if strings.HasPrefix(table, "implementation.") {
				require.NotContains(t, text, "people.example.com", table)
			}
		}
		w.speakAs("users/viewer", auth.Viewer)
		_, err = w.contacts.ListContacts(ctx, &implementationv1.ListContactsRequest{Parent: ws})
		require.Equal(t, fault.KindDenied, fault.KindOf(err))
		_, err = w.mails.ListMails(ctx, &implementationv1.ListMailsRequest{Parent: ws})
		require.Equal(t, fault.KindDenied, fault.KindOf(err))
	})
}

func TestNothingWrongWithAnAddressIsRepeated(t *testing.T) {
	eachReach(t, nil, func(t *testing.T, w *reachWorld) {
		t.Helper()
		ctx := t.Context()
		w.cohort("sales", 2)
		for _, bad := range []string{"secret", "secret@localhost", "secret@people.example.com\r\nBcc: eve@example.com", "A <secret@people.example.com>", "secret@a.example,secret@b.example"} {
			_, err := w.contacts.SetContact(ctx, &implementationv1.SetContactRequest{Name: contactName(0), Email: bad})
			require.Equal(t, "ADDRESS_INVALID", fault.ReasonOf(err), bad)
			require.NotContains(t, fmt.Sprint(fault.From(err).Message(), fault.From(err).Fields(), err), "secret")
		}
		_, err := w.contacts.SetContact(ctx, &implementationv1.SetContactRequest{Name: contactName(99), Email: "secret@people.example.com"})
		require.Equal(t, "PERSON_UNKNOWN", fault.ReasonOf(err))
		_, err = w.contacts.SetContact(ctx, &implementationv1.SetContactRequest{Name: contactName(0), Email: "ada@people.example.com", Language: "no such"})
		require.Equal(t, "LANGUAGE_INVALID", fault.ReasonOf(err))
		_, err = w.contacts.OptOutContact(ctx, &implementationv1.OptOutContactRequest{Name: contactName(0)})
		require.Equal(t, "RESOURCE_NOT_FOUND", fault.ReasonOf(err))

		// Columns that were taken for each other.
		result, err := w.contacts.ImportContacts(ctx, &implementationv1.ImportContactsRequest{Parent: ws, Csv: []byte(
			"email;person\np-000;secret@people.example.com\nsecret;p-000\nok@people.example.com;p-001\nok@people.example.com;p-001\nok@people.example.com;p-777\n")})
		require.NoError(t, err)
		require.NotContains(t, result.String(), "secret")
		reasons := make([]string, 0, len(result.GetErrors()))
		for _, e := range result.GetErrors() {
			reasons = append(reasons, fmt.Sprint(e.GetLine(), " ", e.GetReason()))
		}
		require.Equal(t, []string{"2 PERSON_INVALID", "3 ADDRESS_INVALID", "5 DUPLICATE_ROW", "6 PERSON_UNKNOWN"}, reasons)
		all, err := w.contacts.ListContacts(ctx, &implementationv1.ListContactsRequest{Parent: ws})
		require.NoError(t, err)
		require.Empty(t, all.GetContacts(), "a file with a bad row changes nothing")
	})
}

// erasable is a world in which much is known of p-000.
func erasable(t *testing.T, w *reachWorld) (cohort, training string, sent *implementationv1.Communication) {
	t.Helper()
	ctx := t.Context()
	cohort = w.cohort("sales", 3)
	w.reachable(0, 3)
	training = w.training("basics", 0)
	todo := w.training("advanced", 0)
	w.complete(training, 0, 2)
	for _, name := range []string{training, todo} {
		_, err := w.enrolments.EnrolPeople(ctx, &implementationv1.EnrolPeopleRequest{Training: name, Cohort: cohort})
		require.NoError(t, err)
	}
	_, err := w.stakeholders.CreateStakeholder(ctx, &implementationv1.CreateStakeholderRequest{
		Parent: theCRM, Stakeholder: &implementationv1.Stakeholder{DisplayName: "Head of sales", Influence: 5, Person: person(0)},
	})
	require.NoError(t, err)
	draft := w.draft("go", implementationv1.Communication_EMAIL, cohort)
	_, err = w.communications.SendCommunication(ctx, &implementationv1.SendCommunicationRequest{Name: draft.GetName()})
	require.NoError(t, err)
	sent = w.eventually(draft.GetName(), implementationv1.Communication_SENT)
	require.EqualValues(t, 3, sent.GetDeliveredCount())

	w.smtp.Refuse(address(0), 451) // a message that still waits
	_, err = w.mails.InvitePeople(ctx, &implementationv1.InvitePeopleRequest{Parent: ws, About: todo, People: []string{person(0)}})
	require.NoError(t, err)
	return cohort, training, sent
}

func TestAPersonWhoIsErasedIsGoneEverywhere(t *testing.T) {
	eachReach(t, &smtptest.Options{}, func(t *testing.T, w *reachWorld) {
		t.Helper()
		ctx := t.Context()
		cohort, training, sent := erasable(t, w)
		_, err := w.erasures.ErasePerson(ctx, &implementationv1.ErasePersonRequest{Name: person(0), ValidateOnly: true})
		require.NoError(t, err)
		_, err = w.contacts.GetContact(ctx, &implementationv1.GetContactRequest{Name: contactName(0)})
		require.NoError(t, err, "a rehearsal erases nothing")

		w.speakAs("users/operator", auth.Operator)
		_, err = w.erasures.ErasePerson(ctx, &implementationv1.ErasePersonRequest{Name: person(0)})
		require.Equal(t, fault.KindDenied, fault.KindOf(err))
		w.speakAs("users/alice", auth.Admin)
		receipt, err := w.erasures.ErasePerson(ctx, &implementationv1.ErasePersonRequest{Name: person(0), Reason: "request of 2 March"})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Erasure_DONE, receipt.GetState())
		require.Equal(t, "users/alice", receipt.GetRequester())
		counts := map[string]int64{}
		for _, item := range receipt.GetItems() {
			counts[item.GetData()] = item.GetCount()
			if item.GetAction() != implementationv1.ErasedData_REMOVED {
				require.NotEmpty(t, item.GetWhy(), item.GetData())
			}
		}
		for data, want := range map[string]int64{
			"contact": 1, "memberships": 1, "enrolments": 1, "completed trainings": 1, "stakeholders": 1, "messages that waited": 1, "messages that were sent": 2,
		} {
			require.Equal(t, want, counts[data], data)
		}

		// Gone: the address from every table, the pseudonym from every one but those that say why.
		for table, text := range w.dump() {
			require.NotContains(t, text, address(0), table)
			switch table {
			case "implementation.events", "implementation.erasures", "implementation.request_ids", "implementation_contacts.contacts":
			default:
				require.NotContains(t, text, "p-000", table)
			}
		}
		// What is counted of the past stays.
		again, err := w.communications.GetCommunication(ctx, &implementationv1.GetCommunicationRequest{Name: sent.GetName()})
		require.NoError(t, err)
		require.EqualValues(t, 3, again.GetDeliveredCount())
		enrolled, err := w.enrolments.ListEnrolments(ctx, &implementationv1.ListEnrolmentsRequest{Parent: training, Filter: "state = COMPLETED"})
		require.NoError(t, err)
		require.Len(t, enrolled.GetEnrolments(), 2)
		members, err := w.memberships.ListMemberships(ctx, &implementationv1.ListMembershipsRequest{Parent: cohort})
		require.NoError(t, err)
		require.Len(t, members.GetMemberships(), 2)

		// Again is the same receipt, and nobody gets the pseudonym again.
		once, err := w.erasures.ErasePerson(ctx, &implementationv1.ErasePersonRequest{Name: person(0)})
		require.NoError(t, err)
		require.Equal(t, receipt.GetEtag(), once.GetEtag())
		require.Equal(t, receipt.GetUpdateTime().AsTime(), once.GetUpdateTime().AsTime())
		_, err = w.world.people.CreatePerson(ctx, &implementationv1.CreatePersonRequest{Parent: ws, PersonId: "p-000", Person: &implementationv1.Person{}})
		require.Equal(t, "PERSON_ERASED", fault.ReasonOf(err))
		result, err := w.memberships.ImportMemberships(ctx, &implementationv1.ImportMembershipsRequest{Parent: cohort, Csv: []byte("person\np-000\n"), CreatePeople: true})
		require.NoError(t, err)
		require.Equal(t, "PERSON_ERASED", result.GetErrors()[0].GetReason())
		_, err = w.contacts.SetContact(ctx, &implementationv1.SetContactRequest{Name: contactName(0), Email: "p000@people.example.com"})
		require.Equal(t, "PERSON_UNKNOWN", fault.ReasonOf(err))
		_, err = w.erasures.ErasePerson(ctx, &implementationv1.ErasePersonRequest{Name: person(500)})
		require.Equal(t, "RESOURCE_NOT_FOUND", fault.ReasonOf(err))
	})
}

func TestAnErasedAddressIsOverwrittenOnDisk(t *testing.T) {
	eachReach(t, nil, func(t *testing.T, w *reachWorld) {
		t.Helper()
		file, isFile := strings.CutPrefix(w.main.URL, "sqlite:")
		if !isFile {
			return // PostgreSQL gives space back in its own time; docs/explanation/privacy.md says how to hurry it
		}
		w.cohort("sales", 3)
		w.reachable(0, 3)
		_, err := w.erasures.ErasePerson(t.Context(), &implementationv1.ErasePersonRequest{Name: person(0)})
		require.NoError(t, err)
		found := 0
		for _, suffix := range []string{"", "-wal"} {
			raw, err := os.ReadFile(filepath.Join(filepath.Dir(file), "contacts.db"+suffix))
			if os.IsNotExist(err) {
				continue
			}
			require.NoError(t, err)
			require.False(t, strings.Contains(string(raw), address(0)), "contacts.db%s", suffix) //nolint:testifylint // the file is not fit to be shown
			found += strings.Count(string(raw), address(1))
		}
		require.Positive(t, found, "the others are still there")
	})
}
