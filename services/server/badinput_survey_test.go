package server_test

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// seedSurveys makes a wave that is open, one that is closed and one that nobody opened, with a link that was used and two that were not.
func (w *badWorld) seedSurveys() {
	w.Helper()
	rows := "person\n"
	for i := range 6 {
		rows += fmt.Sprintf("workspaces/default/people/s%d\n", i)
	}
	w.make("crowd", "CreateCohort", `{"parent": "$ws", "cohortId": "crowd", "cohort": {}}`)
	_, ok := w.allowed(w.implementation, "ImportMemberships", fmt.Sprintf(`{"parent": "$crowd", "csv": %q, "createPeople": true}`, base64.StdEncoding.EncodeToString([]byte(rows)))).(*implementationv1.ImportResult)
	require.True(w, ok)
	w.make("pulse", "CreateSurvey", `{"parent": "$ws", "surveyId": "pulse", "survey": {"questions": [{"id": "happy", "kind": "CSAT", "text": "How is it?"}, {"id": "words", "kind": "COMMENT", "text": "What else?"}]}}`)
	for _, id := range []string{"asking", "over", "prepared", "small"} {
		cohort := "$crowd"
		if id == "small" {
			cohort = "$sales"
		}
		w.make(id+"Wave", "CreateSurveyWave", `{"parent": "$pulse", "surveyWaveId": "`+id+`", "surveyWave": {"cohorts": ["`+cohort+`"], "baseUrl": "https://golive.example.org"}}`)
	}
	for _, id := range []string{"asking", "over"} {
		w.make(id+"Wave", "OpenSurveyWave", `{"name": "$`+id+`Wave"}`)
		sent, ok := w.allowed(w.implementation, "SendSurveyLinks", `{"name": "$`+id+`Wave", "handOver": true}`).(*implementationv1.SendSurveyLinksResponse)
		require.True(w, ok)
		for i, line := range strings.Split(strings.TrimSpace(string(sent.GetCsv())), "\n")[1:] {
			w.names[fmt.Sprintf("%sLink%d", id, i)] = line[strings.LastIndexByte(line, '/')+1:]
		}
	}
	w.allowed(w.implementation, "SubmitAnswers", `{"token": "$askingLink0", "answers": [{"question": "happy", "value": 5}]}`)
	w.make("overWave", "CloseSurveyWave", `{"name": "$overWave"}`)
}

// badSurveys are surveys that cannot be asked, answers that cannot be taken, and links that lead nowhere.
func badSurveys() []row {
	survey := func(name, questions, says, at string) row {
		return bad(name, "CreateSurvey", `{"parent": "$ws", "survey": {"questions": [`+questions+`]}}`, invalid, "QUESTION_INVALID", says).at(at)
	}
	wave := func(name, fields, reason, says, at string) row {
		return bad(name, "CreateSurveyWave", `{"parent": "$pulse", "surveyWave": {"cohorts": ["$crowd"], `+fields+`}}`, invalid, reason, says).at(at)
	}
	answer := func(name, answers, reason, says string) row {
		return bad(name, "SubmitAnswers", `{"token": "$askingLink1", "answers": [`+answers+`]}`, invalid, reason, says).at("answers")
	}
	link := func(name, link string, code codes.Code, reason, says string) row {
		return bad(name, "SubmitAnswers", `{"token": "`+link+`", "answers": [{"question": "happy", "value": 5}]}`, code, reason, says)
	}
	const (
		happy = `{"question": "happy", "value": 4}`
		csat  = `"kind": "CSAT", "text": "x"`
	)
	return []row{
		survey("two questions of one id", `{"id": "a", `+csat+`}, {"id": "a", `+csat+`}`, "give each its own", "survey.questions[1].id"),
		survey("a question without words", `{"id": "a", "kind": "CSAT"}`, "write its text", "survey.questions[0].text"),
		survey("nine statements of ten", `{"id": "a", "kind": "SUS", "items": ["1", "2", "3", "4", "5", "6", "7", "8", "9"]}`, "needs 10", "survey.questions[0].items"),
		survey("points where the scale is fixed", `{"id": "a", `+csat+`, "points": 7}`, "a scale of its own", "survey.questions[0].points"),
		survey("a scale of two", `{"id": "a", "kind": "LIKERT", "text": "x", "points": 2}`, "the two highest are all there is", "survey.questions[0].points"),
		bad("a survey that asks nothing", "CreateSurvey", `{"parent": "$ws", "survey": {}}`, invalid, "REQUIRED_FIELD", "questions"),
		bad("a question of no kind", "CreateSurvey", `{"parent": "$ws", "survey": {"questions": [{"id": "a", "text": "x"}]}}`, invalid, "INVALID_FIELD", "kind"),
		bad("an anonymous survey that is attributed later", "UpdateSurvey", `{"survey": {"name": "$pulse", "attributed": true}, "updateMask": "attributed"}`, invalid, "IMMUTABLE_FIELD", "attributed"),
		bad("a survey with waves deleted", "DeleteSurvey", `{"name": "$pulse"}`, precondition, "RESOURCE_IN_USE", "surveyWaves"),
		wave("ratings from four answers on", `"threshold": 4`, "INVALID_FIELD", "at least 5", "survey_wave.threshold"),
		wave("comments from nine on", `"commentThreshold": 9`, "INVALID_FIELD", "at least 10", "survey_wave.comment_threshold"),
		wave("a wave that closes before it opens", `"openTime": "2026-03-02T00:00:00Z", "closeTime": "2026-03-01T00:00:00Z"`, "WAVE_TIMES_INVALID", "correct close_time", "survey_wave.close_time"),
		wave("links to a script", `"baseUrl": "javascript:alert(1)"`, "INVALID_FIELD", "base_url", "survey_wave.base_url"),
		bad("a cohort of another workspace", "CreateSurveyWave", `{"parent": "$pulse", "surveyWave": {"cohorts": ["$otherCohort"]}}`, invalid, "OTHER_WORKSPACE", "another workspace"),
		bad("a cohort that is none", "CreateSurveyWave", `{"parent": "$pulse", "surveyWave": {"cohorts": ["$ws/cohorts/none"]}}`, invalid, "REFERENCE_NOT_FOUND", "create it first"),
		bad("another threshold once people are asked", "UpdateSurveyWave", `{"surveyWave": {"name": "$askingWave", "threshold": 9}, "updateMask": "threshold"}`, precondition, "WAVE_FROZEN", "make another wave"),
		bad("opening what is open", "OpenSurveyWave", `{"name": "$askingWave"}`, precondition, "STATE_FORBIDS", "OPEN"),
		bad("opening for too few", "OpenSurveyWave", `{"name": "$smallWave"}`, precondition, "WAVE_TOO_SMALL", "ask more cohorts"),
		bad("scheduling without a time", "ScheduleSurveyWave", `{"name": "$preparedWave"}`, precondition, "WAVE_TIMES_INVALID", "set open_time"),
		bad("publishing while answers come", "PublishSurveyWave", `{"name": "$askingWave"}`, precondition, "STATE_FORBIDS", "CLOSED"),
		bad("reading what is not published", "SummarizeSurveyWave", `{"name": "$overWave"}`, precondition, "WAVE_NOT_PUBLISHED", "once it is published"),
		bad("who said what in an anonymous survey", "ListSurveyResponses", `{"parent": "$overWave"}`, precondition, "SURVEY_ANONYMOUS", "cannot be changed"),
		bad("deleting what people answered", "DeleteSurveyWave", `{"name": "$askingWave"}`, precondition, "STATE_FORBIDS", "purged instead"),
		bad("purging as an operator", "PurgeSurveyWave", `{"name": "$overWave"}`, denied, "PERMISSION_DENIED", "surveyWaves.purge").as("operator"),
		bad("single answers for a viewer", "ListSurveyResponses", `{"parent": "$overWave"}`, denied, "PERMISSION_DENIED", "surveyResponses.list").as("viewer"),
		bad("links of a wave that is over", "SendSurveyLinks", `{"name": "$overWave"}`, precondition, "STATE_FORBIDS", "only while it is OPEN"),
		bad("links a second time", "SendSurveyLinks", `{"name": "$askingWave", "handOver": true}`, precondition, "LINKS_HANDED_OUT", "renew"),
		answer("an answer above the scale", `{"question": "happy", "value": 6}`, "ANSWER_OUTSIDE_SCALE", "from 1 to 5"),
		answer("an answer below the scale", `{"question": "happy", "value": -2147483648}`, "ANSWER_OUTSIDE_SCALE", "from 1 to 5"),
		answer("an answer without a value", `{"question": "happy"}`, "ANSWER_MISSING", "from 1 to 5"),
		answer("no answers", ``, "ANSWER_MISSING", "answer every question"),
		answer("an answer to nothing", `{"question": "nothing", "value": 1}`, "ANSWER_UNKNOWN", "not asked"),
		answer("an item that there is not", `{"question": "happy", "item": 2, "value": 1}`, "ANSWER_UNKNOWN", "not asked"),
		answer("an answer twice", happy+`, `+happy, "ANSWER_TWICE", "answer it once"),
		answer("a comment of a novel", happy+`, {"question": "words", "comment": "$long"}`, "COMMENT_TOO_LONG", "shorten it to 2000"),
		link("a link that was used", "$askingLink0", precondition, "LINK_USED", "has been used"),
		link("a link that is not known", "AAAAAAAAAAAAAAAAAAAAAA", notFound, "LINK_UNKNOWN", "the last one that you got"),
		link("a link that is none", "x", notFound, "LINK_UNKNOWN", "not known"),
		link("a link of a wave that is over", "$overLink1", precondition, "WAVE_CLOSED", "no more answers"),
		bad("the questions of a used link", "GetQuestionnaire", `{"token": "$askingLink0"}`, precondition, "LINK_USED", "has been used"),
		bad("the notice of no survey", "GetSurveyNotice", `{"workspace": "default", "survey": "none"}`, notFound, "RESOURCE_NOT_FOUND", "none"),
	}
}
