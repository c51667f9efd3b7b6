package implementation_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/smtptest"
)

// eventually asks until the communication is in the state.
func (w *reachWorld) eventually(name string, state implementationv1.Communication_State) *implementationv1.Communication {
	w.Helper()
	var c *implementationv1.Communication
	require.Eventually(w, func() bool {
		var err error
		c, err = w.communications.GetCommunication(w.Context(), &implementationv1.GetCommunicationRequest{Name: name})
		require.NoError(w, err)
		return c.GetState() == state
	}, time.Minute, 10*time.Millisecond)
	return c
}

func TestACommunicationReachesThoseWhoCanBeReached(t *testing.T) {
	eachReach(t, &smtptest.Options{}, func(t *testing.T, w *reachWorld) {
		t.Helper()
		ctx := t.Context()
		cohort := w.cohort("sales", 5)
		w.reachable(0, 4) // p-004 has no address
		_, err := w.contacts.OptOutContact(ctx, &implementationv1.OptOutContactRequest{Name: contactName(3)})
		require.NoError(t, err)
		w.smtp.Refuse(address(2), 550)

		draft := w.draft("go", implementationv1.Communication_EMAIL, cohort)
		sending, err := w.communications.SendCommunication(ctx, &implementationv1.SendCommunicationRequest{Name: draft.GetName()})
		require.NoError(t, err)
		require.EqualValues(t, 5, sending.GetAudienceCount())
		sent := w.eventually(draft.GetName(), implementationv1.Communication_SENT)
		require.EqualValues(t, 2, sent.GetDeliveredCount())
		require.EqualValues(t, 1, sent.GetBouncedCount())
		require.EqualValues(t, 2, sent.GetSkippedCount(), "no address, and no mail wanted")
		require.Len(t, sent.GetDeliveries(), 1)
		require.EqualValues(t, 5, sent.GetDeliveries()[0].GetAudienceCount())
		require.EqualValues(t, 2, sent.GetDeliveries()[0].GetMailedCount())

		for _, m := range w.smtp.Wait(t, 2) {
			require.True(t, m.TLS)
			require.Equal(t, "rollout@example.com", m.From)
			parsed := m.Parse(t)
			require.Equal(t, "It begins on Monday", parsed.Header.Get("Subject"))
			require.NotEmpty(t, parsed.Header.Get("List-Unsubscribe"))
			require.Equal(t, "<"+m.To+">", parsed.Header.Get("To"), "nobody sees who else got it")
		}
		require.Len(t, w.smtp.Messages(), 2, "each once")

		all, err := w.mails.ListMails(ctx, &implementationv1.ListMailsRequest{Parent: ws, Filter: `state = BOUNCED`})
		require.NoError(t, err)
		require.Len(t, all.GetMails(), 1)
		require.Equal(t, person(2), all.GetMails()[0].GetPerson())
		require.EqualValues(t, 550, all.GetMails()[0].GetReplyCode())

		// One of those taken comes back later.
		all, err = w.mails.ListMails(ctx, &implementationv1.ListMailsRequest{Parent: ws, Filter: `state = SENT`})
		require.NoError(t, err)
		back, err := w.mails.RecordBounce(ctx, &implementationv1.RecordBounceRequest{Name: all.GetMails()[0].GetName(), ReplyCode: 552})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Mail_BOUNCED, back.GetState())
		c, err := w.communications.GetCommunication(ctx, &implementationv1.GetCommunicationRequest{Name: draft.GetName()})
		require.NoError(t, err)
		require.EqualValues(t, 1, c.GetDeliveredCount())
		require.EqualValues(t, 2, c.GetBouncedCount())
		_, err = w.mails.RecordBounce(ctx, &implementationv1.RecordBounceRequest{Name: back.GetName()})
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(err))

		for table, text := range w.dump() {
			if strings.HasPrefix(table, "implementation.") {
				require.NotContains(t, text, "people.example.com", "%s holds an address", table)
			}
		}
	})
}

func TestAMessageThatIsDeferredIsTriedAgain(t *testing.T) {
	eachReach(t, &smtptest.Options{Implicit: true}, func(t *testing.T, w *reachWorld) {
		t.Helper()
		cohort := w.cohort("sales", 1)
		w.reachable(0, 1)
		w.smtp.Refuse(address(0), 451)
		draft := w.draft("go", implementationv1.Communication_EMAIL, cohort)
		_, err := w.communications.SendCommunication(t.Context(), &implementationv1.SendCommunicationRequest{Name: draft.GetName()})
		require.NoError(t, err)
		one := func() *implementationv1.Mail {
			all, err := w.mails.ListMails(t.Context(), &implementationv1.ListMailsRequest{Parent: ws})
			require.NoError(t, err)
			require.Len(t, all.GetMails(), 1)
			return all.GetMails()[0]
		}
		require.Eventually(t, func() bool { return one().GetReplyCode() == 451 }, time.Minute, 10*time.Millisecond)
		m := one()
		require.Equal(t, implementationv1.Mail_QUEUED, m.GetState())
		require.Equal(t, "DEFERRED", m.GetReason())
		wait := m.GetNextAttemptTime().AsTime().Sub(w.clock.now())
		require.GreaterOrEqual(t, wait, time.Minute)
		require.LessOrEqual(t, wait, 75*time.Second)

		w.smtp.Refuse(address(0), 0)
		w.clock.advance(wait)
		w.smtp.Wait(t, 1)
		sent := w.eventually(draft.GetName(), implementationv1.Communication_SENT)
		require.EqualValues(t, 1, sent.GetDeliveredCount())
		require.EqualValues(t, 2, one().GetAttemptCount())

		// For ever is too long.
		w.smtp.Refuse(address(0), 451)
		again := w.draft("again", implementationv1.Communication_EMAIL, cohort)
		_, err = w.communications.SendCommunication(t.Context(), &implementationv1.SendCommunicationRequest{Name: again.GetName()})
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			all, err := w.mails.ListMails(t.Context(), &implementationv1.ListMailsRequest{Parent: ws, Filter: fmt.Sprintf("about = %q", again.GetName())})
			require.NoError(t, err)
			return all.GetMails()[0].GetReplyCode() == 451
		}, time.Minute, 10*time.Millisecond)
		w.clock.advance(73 * time.Hour)
		expired := w.eventually(again.GetName(), implementationv1.Communication_SENT)
		require.EqualValues(t, 1, expired.GetSkippedCount())
		require.Zero(t, expired.GetDeliveredCount())
	})
}

func TestACommunicationIsSentAtItsTime(t *testing.T) {
	eachReach(t, &smtptest.Options{}, func(t *testing.T, w *reachWorld) {
		t.Helper()
		ctx := t.Context()
		cohort, empty := w.cohort("sales", 2), w.cohort("nobody", 0)
		w.reachable(0, 2)
		for id, to := range map[string]string{"go": cohort, "void": empty} {
			draft := w.draft(id, implementationv1.Communication_EMAIL, to)
			planned, err := w.communications.ScheduleCommunication(ctx, &implementationv1.ScheduleCommunicationRequest{
				Name: draft.GetName(), SendTime: stampOf(w.clock.now().Add(time.Hour)),
			})
			require.NoError(t, err)
			require.Equal(t, implementationv1.Communication_SCHEDULED, planned.GetState())
		}
		// A plan may still be changed, but not into one that cannot be sent.
		_, err := w.communications.UpdateCommunication(ctx, &implementationv1.UpdateCommunicationRequest{
			Communication: &implementationv1.Communication{Name: theCRM + "/communications/go", Subject: "Another subject"},
			UpdateMask:    &fieldmaskpb.FieldMask{Paths: []string{"subject"}},
		})
		require.NoError(t, err)
		_, err = w.communications.UpdateCommunication(ctx, &implementationv1.UpdateCommunicationRequest{
			Communication: &implementationv1.Communication{Name: theCRM + "/communications/go"},
			UpdateMask:    &fieldmaskpb.FieldMask{Paths: []string{"audience"}},
		})
		require.Equal(t, "AUDIENCE_EMPTY", fault.ReasonOf(err))
		require.Empty(t, w.smtp.Messages(), "not before")

		w.clock.advance(time.Hour)
		w.smtp.Wait(t, 2)
		sent := w.eventually(theCRM+"/communications/go", implementationv1.Communication_SENT)
		require.EqualValues(t, 2, sent.GetDeliveredCount())
		require.Equal(t, "Another subject", w.smtp.Messages()[0].Parse(t).Header.Get("Subject"))
		w.eventually(theCRM+"/communications/void", implementationv1.Communication_CANCELLED)

		// What people were told is a fact.
		_, err = w.communications.UpdateCommunication(ctx, &implementationv1.UpdateCommunicationRequest{
			Communication: &implementationv1.Communication{Name: theCRM + "/communications/go", Body: "Never mind."},
			UpdateMask:    &fieldmaskpb.FieldMask{Paths: []string{"body"}},
		})
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(err))
		_, err = w.communications.SendCommunication(ctx, &implementationv1.SendCommunicationRequest{Name: theCRM + "/communications/go"})
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(err), "sending twice")
		_, err = w.communications.DeleteCommunication(ctx, &implementationv1.DeleteCommunicationRequest{Name: theCRM + "/communications/go"})
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(err))
	})
}

func TestWithoutAMailServerMessagesAreHandedOver(t *testing.T) {
	eachReach(t, nil, func(t *testing.T, w *reachWorld) {
		t.Helper()
		ctx := t.Context()
		cohort := w.cohort("sales", 3)
		c, err := w.communications.CreateCommunication(ctx, &implementationv1.CreateCommunicationRequest{
			Parent: theCRM, CommunicationId: "go", Communication: &implementationv1.Communication{
				Subject: `=HYPERLINK("https://example.com")`, Body: "+49 is a number", Channel: implementationv1.Communication_EMAIL,
				Audience: &implementationv1.Audience{Cohorts: []string{cohort}, People: []string{person(0)}},
			},
		})
		require.NoError(t, err)
		_, err = w.communications.SendCommunication(ctx, &implementationv1.SendCommunicationRequest{Name: c.GetName()})
		require.NoError(t, err)
		check, err := w.mails.CheckMail(ctx, &implementationv1.CheckMailRequest{Parent: ws})
		require.NoError(t, err)
		require.False(t, check.GetSending())
		require.EqualValues(t, 3, check.GetQueuedCount())

		rehearsal, err := w.mails.HandOverMails(ctx, &implementationv1.HandOverMailsRequest{Parent: ws, About: c.GetName(), ValidateOnly: true})
		require.NoError(t, err)
		require.EqualValues(t, 3, rehearsal.GetCount())
		require.Empty(t, rehearsal.GetCsv())
		file, err := w.mails.HandOverMails(ctx, &implementationv1.HandOverMailsRequest{Parent: ws, About: c.GetName(), RequestId: "once"})
		require.NoError(t, err)
		again, err := w.mails.HandOverMails(ctx, &implementationv1.HandOverMailsRequest{Parent: ws, About: c.GetName(), RequestId: "once"})
		require.NoError(t, err)
		require.Equal(t, file.GetCsv(), again.GetCsv(), "an answer that was lost can be asked for again")
		more, err := w.mails.HandOverMails(ctx, &implementationv1.HandOverMailsRequest{Parent: ws})
		require.NoError(t, err)
		require.Zero(t, more.GetCount(), "each message is handed over once")

		rows, err := csv.NewReader(strings.NewReader(string(file.GetCsv()))).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 4)
		require.Equal(t, []string{"mail", "person", "kind", "about", "subject", "text"}, rows[0])
		require.Equal(t, "COMMUNICATION", rows[1][2])
		require.Equal(t, c.GetName(), rows[1][3])
		require.Equal(t, `'=HYPERLINK("https://example.com")`, rows[1][4], "no spreadsheet takes it for a formula")
		require.Equal(t, "'+49 is a number", rows[1][5])

		sent := w.eventually(c.GetName(), implementationv1.Communication_SENT)
		require.EqualValues(t, 3, sent.GetHandedOverCount())
		require.Zero(t, sent.GetDeliveredCount())
		_, err = w.communications.RecordDelivery(ctx, &implementationv1.RecordDeliveryRequest{Name: c.GetName(), DeliveredCount: 4})
		require.Equal(t, "COUNT_INVALID", fault.ReasonOf(err))
		counted, err := w.communications.RecordDelivery(ctx, &implementationv1.RecordDeliveryRequest{Name: c.GetName(), Cohort: cohort, DeliveredCount: 2, ReadCount: 1})
		require.NoError(t, err)
		require.EqualValues(t, 2, counted.GetDeliveredCount())
		require.EqualValues(t, 1, counted.GetReadCount())
	})
}

func TestAMeetingIsCountedByThoseWhoWereThere(t *testing.T) {
	eachReach(t, nil, func(t *testing.T, w *reachWorld) {
		t.Helper()
		ctx := t.Context()
		cohort := w.cohort("sales", 10)
		faceless, err := w.stakeholders.CreateStakeholder(ctx, &implementationv1.CreateStakeholderRequest{
			Parent: theCRM, Stakeholder: &implementationv1.Stakeholder{DisplayName: "Works council", Influence: 5},
		})
		require.NoError(t, err)
		c, err := w.communications.CreateCommunication(ctx, &implementationv1.CreateCommunicationRequest{
			Parent: theCRM, Communication: &implementationv1.Communication{
				DisplayName: "Town hall", Channel: implementationv1.Communication_MEETING,
				Audience: &implementationv1.Audience{Cohorts: []string{cohort}, Stakeholders: []string{faceless.GetName()}},
			},
		})
		require.NoError(t, err)
		_, err = w.communications.RecordDelivery(ctx, &implementationv1.RecordDeliveryRequest{Name: c.GetName(), DeliveredCount: 1})
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(err), "not before it took place")
		told, err := w.communications.SendCommunication(ctx, &implementationv1.SendCommunicationRequest{Name: c.GetName()})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Communication_SENT, told.GetState())
		require.EqualValues(t, 11, told.GetAudienceCount(), "who has no person can come too")
		for _, wrong := range []*implementationv1.RecordDeliveryRequest{
			{Name: c.GetName(), Cohort: cohort, DeliveredCount: 11},
			{Name: c.GetName(), DeliveredCount: 5, ReadCount: 6},
		} {
			_, err = w.communications.RecordDelivery(ctx, wrong)
			require.Equal(t, "COUNT_INVALID", fault.ReasonOf(err))
		}
		_, err = w.communications.RecordDelivery(ctx, &implementationv1.RecordDeliveryRequest{Name: c.GetName(), Cohort: ws + "/cohorts/other", DeliveredCount: 1})
		require.Equal(t, "REFERENCE_NOT_FOUND", fault.ReasonOf(err))
		for _, n := range []int64{9, 8} { // the last count stands
			told, err = w.communications.RecordDelivery(ctx, &implementationv1.RecordDeliveryRequest{Name: c.GetName(), Cohort: cohort, DeliveredCount: n})
			require.NoError(t, err)
			require.Equal(t, n, told.GetDeliveredCount())
		}
		whole, err := w.communications.RecordDelivery(ctx, &implementationv1.RecordDeliveryRequest{Name: c.GetName(), DeliveredCount: 10})
		require.NoError(t, err)
		require.EqualValues(t, 10, whole.GetDeliveredCount(), "a count of all says more than the sum of some")
	})
}

func TestACommunicationCanBeGivenUpOnItsWay(t *testing.T) {
	eachReach(t, nil, func(t *testing.T, w *reachWorld) {
		t.Helper()
		cohort := w.cohort("sales", 3)
		draft := w.draft("go", implementationv1.Communication_EMAIL, cohort)
		_, err := w.communications.SendCommunication(t.Context(), &implementationv1.SendCommunicationRequest{Name: draft.GetName()})
		require.NoError(t, err)
		gone, err := w.communications.CancelCommunication(t.Context(), &implementationv1.CancelCommunicationRequest{Name: draft.GetName(), Reason: "wrong date"})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Communication_CANCELLED, gone.GetState())
		check, err := w.mails.CheckMail(t.Context(), &implementationv1.CheckMailRequest{Parent: ws})
		require.NoError(t, err)
		require.Zero(t, check.GetQueuedCount())
	})
}

func TestPeopleAreInvitedAndReminded(t *testing.T) {
	eachReach(t, &smtptest.Options{}, func(t *testing.T, w *reachWorld) {
		t.Helper()
		ctx := t.Context()
		cohort := w.cohort("sales", 4)
		w.reachable(0, 4)
		training := w.training("basics", 0)
		_, err := w.enrolments.EnrolPeople(ctx, &implementationv1.EnrolPeopleRequest{Training: training, Cohort: cohort})
		require.NoError(t, err)
		w.complete(training, 0, 1)

		invited, err := w.mails.InvitePeople(ctx, &implementationv1.InvitePeopleRequest{
			Parent: ws, About: training, Cohort: cohort, Note: "Dear all,", Link: "https://example.com/crm",
		})
		require.NoError(t, err)
		require.EqualValues(t, 3, invited.GetQueuedCount(), "who has done it is left alone")
		again, err := w.mails.InvitePeople(ctx, &implementationv1.InvitePeopleRequest{Parent: ws, About: training})
		require.NoError(t, err)
		require.Zero(t, again.GetQueuedCount(), "nobody is written to twice a day about the same thing")
		require.EqualValues(t, 3, again.GetSkippedCount())
		w.smtp.Wait(t, 3)

		w.clock.advance(25 * time.Hour)
		reminded, err := w.mails.RemindPeople(ctx, &implementationv1.RemindPeopleRequest{Parent: ws, About: training, People: []string{person(0), person(1)}})
		require.NoError(t, err)
		require.EqualValues(t, 1, reminded.GetQueuedCount())
		require.EqualValues(t, 1, reminded.GetSkippedCount())
		last := w.smtp.Wait(t, 4)[3]
		require.Equal(t, address(1), last.To)
		require.Equal(t, "Still to be done: basics", last.Parse(t).Header.Get("Subject"))

		// A session reminds those who have a seat in it, and invites those who have none.
		sessions := implementationv1.NewSessionServiceClient(w.dial("users/alice", map[string][]auth.Role{auth.AllWorkspaces: {auth.Admin}}))
		session, err := sessions.CreateSession(ctx, &implementationv1.CreateSessionRequest{Parent: training, Session: &implementationv1.Session{
			StartTime: stampOf(w.clock.now().Add(48 * time.Hour)), EndTime: stampOf(w.clock.now().Add(50 * time.Hour)), Seats: 5, Place: "Room 4",
		}})
		require.NoError(t, err)
		_, err = w.enrolments.BookEnrolment(ctx, &implementationv1.BookEnrolmentRequest{Name: training + "/enrolments/p-002", Session: session.GetName()})
		require.NoError(t, err)
		reminded, err = w.mails.RemindPeople(ctx, &implementationv1.RemindPeopleRequest{Parent: ws, About: session.GetName()})
		require.NoError(t, err)
		require.EqualValues(t, 1, reminded.GetQueuedCount())
		seat := w.smtp.Wait(t, 5)[4]
		require.Equal(t, address(2), seat.To)
		require.Contains(t, string(seat.Raw), "Room 4")
		invited, err = w.mails.InvitePeople(ctx, &implementationv1.InvitePeopleRequest{Parent: ws, About: session.GetName()})
		require.NoError(t, err)
		require.EqualValues(t, 2, invited.GetQueuedCount())

		for about, reason := range map[string]string{
			ws + "/cohorts/sales": "ABOUT_INVALID", "nonsense": "ABOUT_INVALID",
			"workspaces/other/trainings/basics": "ABOUT_INVALID", ws + "/trainings/none": "RESOURCE_NOT_FOUND",
		} {
			_, err = w.mails.InvitePeople(ctx, &implementationv1.InvitePeopleRequest{Parent: ws, About: about})
			require.Equal(t, reason, fault.ReasonOf(err), about)
		}
		_, err = w.mails.InvitePeople(ctx, &implementationv1.InvitePeopleRequest{Parent: ws, About: training, People: []string{person(999)}})
		require.Equal(t, "PERSON_UNKNOWN", fault.ReasonOf(err))
	})
}

func TestStakeholdersHaveAHistory(t *testing.T) {
	eachReach(t, nil, func(t *testing.T, w *reachWorld) {
		t.Helper()
		ctx := t.Context()
		created, err := w.stakeholders.CreateStakeholder(ctx, &implementationv1.CreateStakeholderRequest{
			Parent: theCRM, StakeholderId: "head", Stakeholder: &implementationv1.Stakeholder{DisplayName: "Head of sales", Influence: 5, Sponsor: true},
		})
		require.NoError(t, err)
		require.Equal(t, implementationv1.Stance_NEUTRAL, created.GetStance())
		for _, stance := range []implementationv1.Stance{implementationv1.Stance_RESISTANT, implementationv1.Stance_SUPPORTIVE, implementationv1.Stance_SUPPORTIVE} {
			w.clock.advance(time.Hour)
			_, err = w.stakeholders.RecordStance(ctx, &implementationv1.RecordStanceRequest{Name: created.GetName(), Stance: stance, Note: "said so: " + stance.String()})
			require.NoError(t, err)
		}
		history, err := w.stakeholders.ListStanceChanges(ctx, &implementationv1.ListStanceChangesRequest{Parent: created.GetName()})
		require.NoError(t, err)
		require.Len(t, history.GetStanceChanges(), 4)
		require.Equal(t, implementationv1.Stance_STANCE_UNSPECIFIED, history.GetStanceChanges()[0].GetPreviousStance())
		require.Equal(t, implementationv1.Stance_RESISTANT, history.GetStanceChanges()[2].GetPreviousStance())
		require.Equal(t, "said so: SUPPORTIVE", history.GetStanceChanges()[3].GetNote())
		require.Equal(t, "users/alice", history.GetStanceChanges()[3].GetRecorder())
		one, err := w.stakeholders.GetStanceChange(ctx, &implementationv1.GetStanceChangeRequest{Name: history.GetStanceChanges()[2].GetName()})
		require.NoError(t, err)
		require.True(t, proto.Equal(history.GetStanceChanges()[2], one))
		_, err = w.stakeholders.GetStanceChange(ctx, &implementationv1.GetStanceChangeRequest{Name: created.GetName() + "/stanceChanges/none"})
		require.Equal(t, resource.ReasonNotFound, fault.ReasonOf(err))
		now, err := w.stakeholders.GetStakeholder(ctx, &implementationv1.GetStakeholderRequest{Name: created.GetName()})
		require.NoError(t, err)
		require.Equal(t, w.clock.now().Add(-time.Hour), now.GetStanceTime().AsTime(), "since when, and not when it was last said")

		_, err = w.stakeholders.UpdateStakeholder(ctx, &implementationv1.UpdateStakeholderRequest{
			Stakeholder: &implementationv1.Stakeholder{Name: created.GetName(), Stance: implementationv1.Stance_CHAMPION},
			UpdateMask:  &fieldmaskpb.FieldMask{Paths: []string{"stance"}},
		})
		require.Equal(t, "IMMUTABLE_FIELD", fault.ReasonOf(err), "history is not gone around")

		acted, err := w.stakeholders.RecordContact(ctx, &implementationv1.RecordContactRequest{Name: created.GetName(), Acted: true})
		require.NoError(t, err)
		require.Equal(t, w.clock.now(), acted.GetLastActionTime().AsTime())
		before, err := w.stakeholders.RecordContact(ctx, &implementationv1.RecordContactRequest{Name: created.GetName(), ContactTime: stampOf(w.clock.now().Add(-time.Hour))})
		require.NoError(t, err)
		require.Equal(t, acted.GetLastContactTime().AsTime(), before.GetLastContactTime().AsTime(), "the last one stays the last one")
		_, err = w.stakeholders.RecordContact(ctx, &implementationv1.RecordContactRequest{Name: created.GetName(), ContactTime: stampOf(w.clock.now().Add(time.Second))})
		require.Equal(t, "TIME_IN_FUTURE", fault.ReasonOf(err))

		require.NotContains(t, w.dump()["implementation.events"], "said so", "notes stay out of the log")
		w.speakAs("users/viewer", auth.Viewer)
		_, err = w.stakeholders.GetStakeholder(ctx, &implementationv1.GetStakeholderRequest{Name: created.GetName()})
		require.Equal(t, fault.KindDenied, fault.KindOf(err))
		_, err = w.stakeholders.ListStanceChanges(ctx, &implementationv1.ListStanceChangesRequest{Parent: created.GetName()})
		require.Equal(t, fault.KindDenied, fault.KindOf(err))
	})
}
