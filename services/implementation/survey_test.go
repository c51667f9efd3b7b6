package implementation_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/sqldb"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation"
)

// inquiry is a world with surveys in it.
type inquiry struct {
	*world

	url       string
	surveys   implementationv1.SurveyServiceClient
	waves     implementationv1.SurveyWaveServiceClient
	results   implementationv1.SurveyResultServiceClient
	responses implementationv1.ResponseServiceClient
	notices   implementationv1.SurveyNoticeServiceClient
}

func eachInquiry(t *testing.T, test func(t *testing.T, w *inquiry)) {
	t.Helper()
	for _, kind := range pgtest.Databases(t) {
		t.Run(kind.Name, func(t *testing.T) {
			url := kind.URL(t)
			w := &inquiry{url: url, world: setup(t, url, func(c *implementation.Config) { c.Surveys = 10 * time.Millisecond })}
			w.ask("users/alice", auth.Admin)
			w.responses = implementationv1.NewResponseServiceClient(w.server.Local()) // nobody: the link is all it takes
			w.notices = implementationv1.NewSurveyNoticeServiceClient(w.server.Local())
			test(t, w)
		})
	}
}

// ask makes the clients of those who ask speak for a principal.
func (w *inquiry) ask(name string, roles ...auth.Role) {
	w.Helper()
	w.as(name, roles...)
	conn := w.dial(name, map[string][]auth.Role{auth.AllWorkspaces: roles})
	w.surveys = implementationv1.NewSurveyServiceClient(conn)
	w.waves = implementationv1.NewSurveyWaveServiceClient(conn)
	w.results = implementationv1.NewSurveyResultServiceClient(conn)
}

func (w *inquiry) survey(id string, questions ...*implementationv1.Question) string {
	w.Helper()
	s, err := w.surveys.CreateSurvey(w.Context(), &implementationv1.CreateSurveyRequest{
		Parent: ws, SurveyId: id, Survey: &implementationv1.Survey{DisplayName: "The new CRM", Owner: "users/carol", Questions: questions},
	})
	require.NoError(w, err)
	return s.GetName()
}

func csatQuestion() *implementationv1.Question {
	return &implementationv1.Question{Id: "happy", Kind: implementationv1.Question_CSAT, Text: "How satisfied are you?"}
}

func commentQuestion() *implementationv1.Question {
	return &implementationv1.Question{Id: "words", Kind: implementationv1.Question_COMMENT, Text: "What else?"}
}

// draft makes a wave on cohorts.
func (w *inquiry) draft(survey, id string, cohorts ...string) *implementationv1.SurveyWave {
	w.Helper()
	wave, err := w.waves.CreateSurveyWave(w.Context(), &implementationv1.CreateSurveyWaveRequest{
		Parent: survey, SurveyWaveId: id, SurveyWave: &implementationv1.SurveyWave{Cohorts: cohorts, BaseUrl: "https://golive.example.org"},
	})
	require.NoError(w, err)
	require.Equal(w, implementationv1.SurveyWave_DRAFT, wave.GetState())
	return wave
}

// open opens a wave, and returns the tokens of the links by person.
func (w *inquiry) open(wave string) map[string]string {
	w.Helper()
	_, err := w.waves.OpenSurveyWave(w.Context(), &implementationv1.OpenSurveyWaveRequest{Name: wave})
	require.NoError(w, err)
	sent, err := w.waves.SendSurveyLinks(w.Context(), &implementationv1.SendSurveyLinksRequest{Name: wave, HandOver: true})
	require.NoError(w, err)
	rows, err := csv.NewReader(strings.NewReader(string(sent.GetCsv()))).ReadAll()
	require.NoError(w, err)
	require.Equal(w, []string{"person", "link"}, rows[0])
	require.EqualValues(w, len(rows)-1, sent.GetLinkCount())
	tokens := make(map[string]string)
	for _, row := range rows[1:] {
		token, ok := strings.CutPrefix(row[1], "https://golive.example.org/r/")
		require.True(w, ok)
		require.Len(w, token, 22)
		tokens[row[0]] = token
	}
	return tokens
}

func happy(value int32) []*implementationv1.Answer {
	return []*implementationv1.Answer{{Question: "happy", Value: &value}}
}

func (w *inquiry) submit(token string, answers []*implementationv1.Answer) error {
	_, err := w.responses.SubmitAnswers(w.Context(), &implementationv1.SubmitAnswersRequest{Token: token, Answers: answers})
	return err
}

// answer lets people from … to answer.
func (w *inquiry) answer(tokens map[string]string, from, to int, answers func(i int) []*implementationv1.Answer) {
	w.Helper()
	for i := from; i < to; i++ {
		require.NoError(w, w.submit(tokens[person(i)], answers(i)))
	}
}

// publish closes and publishes a wave, and returns its groups by cohort and value.
func (w *inquiry) publish(wave string) (*implementationv1.SurveyResult, map[string]*implementationv1.SurveyGroup) {
	w.Helper()
	w.clock.advance(time.Hour)
	_, err := w.waves.CloseSurveyWave(w.Context(), &implementationv1.CloseSurveyWaveRequest{Name: wave})
	require.NoError(w, err)
	_, err = w.waves.PublishSurveyWave(w.Context(), &implementationv1.PublishSurveyWaveRequest{Name: wave})
	require.NoError(w, err)
	return w.summary(wave)
}

func (w *inquiry) summary(wave string) (*implementationv1.SurveyResult, map[string]*implementationv1.SurveyGroup) {
	w.Helper()
	result, err := w.results.SummarizeSurveyWave(w.Context(), &implementationv1.SummarizeSurveyWaveRequest{Name: wave})
	require.NoError(w, err)
	groups := make(map[string]*implementationv1.SurveyGroup)
	for _, g := range result.GetGroups() {
		key := g.GetCohort()[strings.LastIndexByte(g.GetCohort(), '/')+1:]
		if g.GetValue() != "" {
			key += "@" + g.GetValue()
		}
		groups[key] = g
		if g.GetState() != implementationv1.SurveyGroup_TOLD {
			require.Empty(w, g.GetMeasures())
			require.Zero(w, g.GetResponseCount())
			require.Zero(w, g.GetResponseRate())
		}
	}
	return result, groups
}

// members makes a cohort of the people from … to, of whom each has a site.
func (w *inquiry) members(id string, from, to int, site func(i int) string) string {
	w.Helper()
	name := w.cohort(id, 0)
	for i := from; i < to; i++ {
		_, err := w.people.CreatePerson(w.Context(), &implementationv1.CreatePersonRequest{Parent: ws, PersonId: fmt.Sprintf("p-%03d", i), Person: &implementationv1.Person{}})
		if fault.ReasonOf(err) != "ALREADY_EXISTS" {
			require.NoError(w, err)
		}
		m := &implementationv1.Membership{Person: person(i)}
		if site != nil {
			m.Attributes = map[string]string{"site": site(i)}
		}
		_, err = w.memberships.CreateMembership(w.Context(), &implementationv1.CreateMembershipRequest{
			Parent: name, MembershipId: fmt.Sprintf("m-%03d", i), Membership: m,
		})
		require.NoError(w, err)
	}
	return name
}

// database is a second connection to what is stored.
func (w *inquiry) database() *sqldb.DB {
	w.Helper()
	db, err := sqldb.Open(w.Context(), sqldb.Config{URL: w.url, Schema: "implementation"})
	require.NoError(w, err)
	w.Cleanup(func() { require.NoError(w, db.Close()) })
	return db
}

func (w *inquiry) count(db *sqldb.DB, query string) (n int) {
	w.Helper()
	require.NoError(w, db.Read().QueryRowContext(w.Context(), query).Scan(&n))
	return n
}

func TestASurveyFromTheFirstQuestionToTheReceipt(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		survey := w.survey("pulse", csatQuestion(), commentQuestion(),
			&implementationv1.Question{Id: "change", Kind: implementationv1.Question_ADKAR},
			&implementationv1.Question{Id: "recommend", Kind: implementationv1.Question_ENPS},
			&implementationv1.Question{Id: "usable", Kind: implementationv1.Question_SUS},
			&implementationv1.Question{Id: "own", Kind: implementationv1.Question_LIKERT, Text: "The coffee is good.", Points: 7})
		wave := w.draft(survey, "march", w.cohort("sales", 20)).GetName()
		tokens := w.open(wave)
		require.Len(t, tokens, 20)

		q, err := w.responses.GetQuestionnaire(t.Context(), &implementationv1.GetQuestionnaireRequest{Token: tokens[person(0)]})
		require.NoError(t, err)
		require.Equal(t, "The new CRM", q.GetDisplayName())
		require.Contains(t, q.GetNotice(), "anonymous")
		require.Len(t, q.GetQuestions(), 6)

		_, err = w.results.SummarizeSurveyWave(t.Context(), &implementationv1.SummarizeSurveyWaveRequest{Name: wave})
		require.Equal(t, "WAVE_NOT_PUBLISHED", fault.ReasonOf(err), "nothing is told while answers come: it could be told before and after one")
		w.answer(tokens, 0, 12, func(i int) []*implementationv1.Answer {
			answers := append(happy(int32(i%5)+1), &implementationv1.Answer{Question: "words", Comment: fmt.Sprintf("comment %d", i)},
				&implementationv1.Answer{Question: "recommend", Value: new(int32(10))}, &implementationv1.Answer{Question: "own", Value: new(int32(6))})
			for item := range int32(5) {
				answers = append(answers, &implementationv1.Answer{Question: "change", Item: item + 1, Value: new(5 - item)})
			}
			for item, value := range []int32{5, 4, 2, 1, 2, 3, 2, 4, 5, 2} {
				answers = append(answers, &implementationv1.Answer{Question: "usable", Item: int32(item) + 1, Value: &value})
			}
			return answers
		})
		result, groups := w.publish(wave)
		all := groups[""]
		require.EqualValues(t, 20, all.GetAskedCount())
		require.EqualValues(t, 12, all.GetResponseCount())
		require.InDelta(t, .6, all.GetResponseRate(), 1e-9)
		require.False(t, all.GetLowResponse())
		require.Equal(t, "KNOWLEDGE", all.GetBarrier())
		measures := make(map[string]*implementationv1.SurveyMeasure)
		for _, m := range all.GetMeasures() {
			measures[m.GetQuestion()+m.GetElement()] = m
		}
		require.EqualValues(t, 4, measures["happy"].GetNumerator(), "0…11 of which i%5 is 3 or 4")
		require.InDelta(t, 1, measures["recommend"].GetValue(), 1e-9)
		require.InDelta(t, 55, measures["usable"].GetValue(), 1e-9, "Brooke's example")
		require.InDelta(t, 1, measures["own"].GetValue(), 1e-9)
		require.InDelta(t, 1, measures["changeDESIRE"].GetValue(), 1e-9)
		require.Len(t, result.GetComments(), 12)
		require.Equal(t, all.GetMeasures(), groups["sales"].GetMeasures(), "the only cohort is everybody")

		events, err := w.events.ListEvents(t.Context(), &eventv1.ListEventsRequest{Parent: wave})
		require.NoError(t, err)
		var kinds []string
		for _, e := range events.GetEvents() {
			kinds = append(kinds, e.GetType())
			require.NotContains(t, e.String(), "comment 1")
		}
		require.Equal(t, []string{
			"implementation.surveyResult.read", "implementation.surveyWave.published", "implementation.surveyWave.closed",
			"implementation.surveyLinks.sent", "implementation.surveyWave.opened", "implementation.surveyWave.created",
		}, kinds)
		require.Equal(t, "everybody, sales", events.GetEvents()[0].GetCause())
		require.Equal(t, "users/alice", events.GetEvents()[0].GetActor())

		purged, err := w.waves.PurgeSurveyWave(t.Context(), &implementationv1.PurgeSurveyWaveRequest{Name: wave})
		require.NoError(t, err)
		require.EqualValues(t, 12, purged.GetPurgeReceipt().GetResponseCount())
		require.EqualValues(t, 12, purged.GetPurgeReceipt().GetCommentCount())
		require.EqualValues(t, 20, purged.GetPurgeReceipt().GetInvitationCount())
		require.Len(t, purged.GetPurgeReceipt().GetDigest(), 64)
		_, again := w.summary(wave)
		require.Equal(t, all.String(), again[""].String(), "what was published stays")
		db := w.database()
		for _, table := range []string{"survey_inbox", "survey_responses", "survey_answers", "survey_comments", "survey_invitations", "survey_strata"} {
			require.Zero(t, w.count(db, "SELECT COUNT(*) FROM "+table), table)
		}
	})
}

func TestALinkWorksOnce(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		wave := w.draft(w.survey("s", csatQuestion()), "w", w.cohort("sales", 8)).GetName()
		tokens := w.open(wave)
		token := tokens[person(0)]
		require.Equal(t, "ANSWER_OUTSIDE_SCALE", fault.ReasonOf(w.submit(token, happy(6))), "a mistake does not use the link")

		var wait sync.WaitGroup
		failed := make(chan string, 16)
		for range 16 {
			wait.Go(func() { failed <- fault.ReasonOf(w.submit(token, happy(5))) })
		}
		wait.Wait()
		close(failed)
		reasons := make(map[string]int)
		for reason := range failed {
			reasons[reason]++
		}
		require.Equal(t, map[string]int{"": 1, "LINK_USED": 15}, reasons)
		require.Equal(t, "LINK_USED", fault.ReasonOf(w.submit(token, happy(5))))
		_, err := w.responses.GetQuestionnaire(t.Context(), &implementationv1.GetQuestionnaireRequest{Token: token})
		require.Equal(t, "LINK_USED", fault.ReasonOf(err))
		require.Equal(t, "LINK_UNKNOWN", fault.ReasonOf(w.submit("AAAAAAAAAAAAAAAAAAAAAA", happy(5))))

		_, err = w.waves.SendSurveyLinks(t.Context(), &implementationv1.SendSurveyLinksRequest{Name: wave, HandOver: true})
		require.Equal(t, "LINKS_HANDED_OUT", fault.ReasonOf(err))
		sent, err := w.waves.SendSurveyLinks(t.Context(), &implementationv1.SendSurveyLinksRequest{Name: wave, Renew: true, HandOver: true})
		require.NoError(t, err)
		require.EqualValues(t, 8, sent.GetLinkCount(), "who gets one does not tell who answered")
		require.Equal(t, "LINK_UNKNOWN", fault.ReasonOf(w.submit(tokens[person(1)], happy(5))), "the old one stopped working")

		closed, err := w.waves.CloseSurveyWave(t.Context(), &implementationv1.CloseSurveyWaveRequest{Name: wave})
		require.NoError(t, err)
		require.EqualValues(t, 1, closed.GetResponseCount())
		reasons = make(map[string]int)
		for _, part := range strings.Split(string(sent.GetCsv()), "/r/")[1:] {
			reasons[fault.ReasonOf(w.submit(part[:22], happy(5)))]++
		}
		require.Equal(t, map[string]int{"LINK_USED": 1, "WAVE_CLOSED": 7}, reasons)
		_, err = w.waves.SendSurveyLinks(t.Context(), &implementationv1.SendSurveyLinksRequest{Name: wave})
		require.Equal(t, "STATE_FORBIDS", fault.ReasonOf(err))
	})
}

func TestNothingStoredLeadsFromAnAnswerToWhoGaveIt(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		site := func(i int) string { return []string{"hamburg", "berlin"}[min(i/11, 1)] } // one person is alone in Berlin
		survey := w.survey("s", csatQuestion(), commentQuestion())
		draft := w.draft(survey, "w", w.members("sales", 0, 12, site))
		draft.Attribute = "site"
		_, err := w.waves.UpdateSurveyWave(t.Context(), &implementationv1.UpdateSurveyWaveRequest{SurveyWave: draft})
		require.NoError(t, err)
		tokens := w.open(draft.GetName())
		w.answer(tokens, 0, 4, func(int) []*implementationv1.Answer { return happy(5) })
		db := w.database()
		require.Equal(t, 4, w.count(db, "SELECT COUNT(*) FROM survey_inbox"), "four are too few to be shuffled")
		w.answer(tokens, 4, 12, func(int) []*implementationv1.Answer {
			return append(happy(4), &implementationv1.Answer{Question: "words", Comment: "Something."})
		})
		require.Eventually(t, func() bool { return w.count(db, "SELECT COUNT(*) FROM survey_responses") >= 5 }, 10*time.Second, 5*time.Millisecond)
		_, groups := w.publish(draft.GetName())
		require.Zero(t, w.count(db, "SELECT COUNT(*) FROM survey_inbox"))
		require.Equal(t, 12, w.count(db, "SELECT COUNT(*) FROM survey_responses WHERE person = ''"))
		require.Equal(t, 8, w.count(db, "SELECT COUNT(*) FROM survey_comments WHERE person = ''"))
		require.Equal(t, 1, w.count(db, "SELECT COUNT(DISTINCT cell) FROM survey_responses"), "who is alone is counted with others, in what is stored too")
		require.Equal(t, 12, w.count(db, "SELECT COUNT(*) FROM survey_invitations WHERE used = 1 AND token IS NOT NULL"))
		require.Equal(t, implementationv1.SurveyGroup_POOLED, groups["@berlin"].GetState())
		require.Equal(t, implementationv1.SurveyGroup_POOLED, groups["@hamburg"].GetState(), "it would tell Berlin")

		_, err = w.results.ListSurveyResponses(t.Context(), &implementationv1.ListSurveyResponsesRequest{Parent: draft.GetName()})
		require.Equal(t, "SURVEY_ANONYMOUS", fault.ReasonOf(err))
		_, err = w.surveys.UpdateSurvey(t.Context(), &implementationv1.UpdateSurveyRequest{Survey: &implementationv1.Survey{Name: survey, Attributed: true}})
		require.Equal(t, "IMMUTABLE_FIELD", fault.ReasonOf(err))
	})
}

func TestLinksAreMailedWhenAWaveOpens(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		draft := w.draft(w.survey("s", csatQuestion()), "w", w.cohort("sales", 6))
		draft.Delivery, draft.CloseTime = implementationv1.SurveyWave_MAIL, stampOf(w.clock.now().Add(24*time.Hour))
		_, err := w.waves.UpdateSurveyWave(t.Context(), &implementationv1.UpdateSurveyWaveRequest{SurveyWave: draft})
		require.NoError(t, err)
		_, err = w.waves.OpenSurveyWave(t.Context(), &implementationv1.OpenSurveyWaveRequest{Name: draft.GetName(), ValidateOnly: true})
		require.NoError(t, err)
		db := w.database()
		require.Zero(t, w.count(db, "SELECT COUNT(*) FROM outbox"), "a rehearsal writes to nobody")
		_, err = w.waves.OpenSurveyWave(t.Context(), &implementationv1.OpenSurveyWaveRequest{Name: draft.GetName()})
		require.NoError(t, err)
		require.Equal(t, 6, w.count(db, "SELECT COUNT(DISTINCT person) FROM outbox WHERE about = '"+draft.GetName()+"'"))
		var text string
		require.NoError(t, db.Read().QueryRowContext(t.Context(), "SELECT body FROM outbox LIMIT 1").Scan(&text))
		require.Contains(t, text, "Nobody can see what you answered.")
		require.Contains(t, text, "until 3 March 2026")
		_, after, found := strings.Cut(text, "https://golive.example.org/r/")
		require.True(t, found)
		require.NoError(t, w.submit(after[:22], happy(5)))
		_, err = w.waves.SendSurveyLinks(t.Context(), &implementationv1.SendSurveyLinksRequest{Name: draft.GetName(), Renew: true})
		require.NoError(t, err)
		require.Equal(t, 12, w.count(db, "SELECT COUNT(*) FROM outbox"), "all are reminded, so that nobody learns who answered")
		require.Zero(t, w.count(db, "SELECT COUNT(*) FROM survey_invitations WHERE token IS NULL"))
	})
}

func TestAttributedAnswersAreReadByThoseWhoMay(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		s, err := w.surveys.CreateSurvey(t.Context(), &implementationv1.CreateSurveyRequest{Parent: ws, SurveyId: "s", Survey: &implementationv1.Survey{
			Attributed: true, Questions: []*implementationv1.Question{csatQuestion(), commentQuestion()},
		}})
		require.NoError(t, err)
		wave := w.draft(s.GetName(), "w", w.cohort("sales", 7)).GetName()
		tokens := w.open(wave)
		q, err := w.responses.GetQuestionnaire(t.Context(), &implementationv1.GetQuestionnaireRequest{Token: tokens[person(0)]})
		require.NoError(t, err)
		require.True(t, q.GetAttributed())
		require.Contains(t, q.GetNotice(), "kept with your person")
		w.answer(tokens, 0, 6, func(i int) []*implementationv1.Answer {
			return append(happy(int32(i%5)+1), &implementationv1.Answer{Question: "words", Comment: fmt.Sprint(i)})
		})
		w.publish(wave)
		first, err := w.results.ListSurveyResponses(t.Context(), &implementationv1.ListSurveyResponsesRequest{Parent: wave, PageSize: 4})
		require.NoError(t, err)
		require.Len(t, first.GetResponses(), 4)
		require.Equal(t, person(0), first.GetResponses()[0].GetPerson())
		require.Len(t, first.GetResponses()[3].GetAnswers(), 2)
		rest, err := w.results.ListSurveyResponses(t.Context(), &implementationv1.ListSurveyResponsesRequest{Parent: wave, PageSize: 4, PageToken: first.GetNextPageToken()})
		require.NoError(t, err)
		require.Len(t, rest.GetResponses(), 2)
		require.Empty(t, rest.GetNextPageToken())
		w.ask("users/vera", auth.Viewer)
		_, err = w.results.ListSurveyResponses(t.Context(), &implementationv1.ListSurveyResponsesRequest{Parent: wave})
		require.Equal(t, "PERMISSION_DENIED", fault.ReasonOf(err))
	})
}

func TestWavesOpenCloseAndEndByTheirTimes(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		wave := w.draft(w.survey("s", csatQuestion()), "w", w.cohort("sales", 8))
		wave.OpenTime, wave.CloseTime = stampOf(w.clock.now().Add(time.Hour)), stampOf(w.clock.now().Add(48*time.Hour))
		_, err := w.waves.UpdateSurveyWave(t.Context(), &implementationv1.UpdateSurveyWaveRequest{SurveyWave: wave})
		require.NoError(t, err)
		_, err = w.waves.ScheduleSurveyWave(t.Context(), &implementationv1.ScheduleSurveyWaveRequest{Name: wave.GetName()})
		require.NoError(t, err)
		reaches := func(state implementationv1.SurveyWave_State) {
			require.Eventually(t, func() bool {
				now, err := w.waves.GetSurveyWave(t.Context(), &implementationv1.GetSurveyWaveRequest{Name: wave.GetName()})
				require.NoError(t, err)
				return now.GetState() == state
			}, 10*time.Second, 5*time.Millisecond, state.String())
		}
		w.clock.advance(time.Hour)
		reaches(implementationv1.SurveyWave_OPEN)
		sent, err := w.waves.SendSurveyLinks(t.Context(), &implementationv1.SendSurveyLinksRequest{Name: wave.GetName(), HandOver: true})
		require.NoError(t, err)
		token := strings.TrimSpace(strings.Split(string(sent.GetCsv()), "/r/")[1])[:22]
		w.clock.advance(47 * time.Hour)
		require.Equal(t, "WAVE_CLOSED", fault.ReasonOf(w.submit(token, happy(5))), "whether or not somebody has closed it yet")
		reaches(implementationv1.SurveyWave_CLOSED)
		w.clock.advance(366 * 24 * time.Hour)
		reaches(implementationv1.SurveyWave_PURGED)
	})
}

func TestTheNoticeSaysWhatIsDone(t *testing.T) {
	eachInquiry(t, func(t *testing.T, w *inquiry) {
		survey := w.survey("s", &implementationv1.Question{Id: "q", Kind: implementationv1.Question_CSAT, Text: "Is <b>this</b> *good*?"})
		wave := w.draft(survey, "w", w.cohort("sales", 9))
		wave.Threshold = 7
		_, err := w.waves.UpdateSurveyWave(t.Context(), &implementationv1.UpdateSurveyWaveRequest{SurveyWave: wave})
		require.NoError(t, err)
		w.open(wave.GetName())
		notice, err := w.notices.GetSurveyNotice(t.Context(), &implementationv1.GetSurveyNoticeRequest{Workspace: "default", Survey: "s"})
		require.NoError(t, err)
		require.Contains(t, notice.GetMarkdown(), "ratings from 7 answers on")
		require.Contains(t, notice.GetMarkdown(), "12 months")
		require.Contains(t, notice.GetMarkdown(), `\<b>this\</b> \*good\*`)
		require.Contains(t, notice.GetHtml(), "Is &lt;b&gt;this&lt;/b&gt;")
		_, err = w.notices.GetSurveyNotice(t.Context(), &implementationv1.GetSurveyNoticeRequest{Workspace: "default", Survey: "none"})
		require.Equal(t, fault.KindNotFound, fault.KindOf(err))
	})
}
