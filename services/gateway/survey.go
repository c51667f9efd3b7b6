package gateway

import (
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

const (
	linkPrefix   = "/r/"       // the link of a survey
	noticePrefix = "/privacy/" // what happens with its answers
	maxAnswers   = 256 << 10   // bytes of a form
)

// surveys serves people without an account: the form that a link leads to, and the
// notice of what happens with the answers. The pages need no script and load nothing from elsewhere.
type surveys struct {
	responses implementationv1.ResponseServiceClient
	notices   implementationv1.SurveyNoticeServiceClient
	page      *template.Template
}

func newSurveys(responses implementationv1.ResponseServiceClient, notices implementationv1.SurveyNoticeServiceClient) (*surveys, error) {
	page, err := template.ParseFS(pageFiles, "page/form.html")
	if err != nil {
		return nil, fmt.Errorf("parse the form: %w", err)
	}
	return &surveys{responses: responses, notices: notices, page: page}, nil
}

// formPage is what the page shows: a notice, a message or a form.
type formPage struct {
	Title         string
	Notice        template.HTML // of the implementation service, which escapes what people wrote
	Message       string
	Error         string
	Until         string
	Questionnaire *implementationv1.Questionnaire
	Fields        []formField
}

// formField is one thing to fill in.
type formField struct {
	Name    string
	Text    string
	Item    string
	Ends    string
	Comment bool
	Words   string
	Choices []formChoice
}

type formChoice struct {
	Value  int32
	Chosen bool
}

// openSurvey serves the pages of surveys; false for any other path. Their
// templates are counted in place of their paths: a link is a secret.
func (g *Gateway) openSurvey(w http.ResponseWriter, r *http.Request) bool {
	path := r.URL.Path
	switch token, isLink := strings.CutPrefix(path, linkPrefix); {
	case isLink && token != "" && !strings.Contains(token, "/"):
		routed(w, linkPrefix+"{token}")
		g.followLink(w, r, token)
		return true
	case strings.HasPrefix(path, noticePrefix):
		ids := strings.Split(strings.TrimPrefix(path, noticePrefix), "/")
		if len(ids) != 2 {
			return false
		}
		routed(w, noticePrefix+"{workspace}/{survey}")
		g.showNotice(w, r, ids[0], ids[1])
		return true
	default:
		return false
	}
}

func (g *Gateway) showNotice(w http.ResponseWriter, r *http.Request, workspace, survey string) {
	if refuseMethod(w, r, http.MethodGet, http.MethodHead) {
		return
	}
	notice, err := g.surveys.notices.GetSurveyNotice(g.annotate(r.Context(), r), &implementationv1.GetSurveyNoticeRequest{Workspace: workspace, Survey: survey})
	if err != nil {
		g.failPage(w, err)
		return
	}
	g.showPage(w, http.StatusOK, formPage{Title: "What happens with your answers", Notice: template.HTML(notice.GetHtml())}) //nolint:gosec // escaped where it is made
}

// followLink shows the questions (GET) or takes the answers (POST), as JSON for those who ask for it.
func (g *Gateway) followLink(w http.ResponseWriter, r *http.Request, token string) {
	if refuseMethod(w, r, http.MethodGet, http.MethodHead, http.MethodPost) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxAnswers)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" || strings.HasPrefix(r.Header.Get("Accept"), "application/json") {
		g.followAsData(w, r, token)
		return
	}
	questionnaire, err := g.surveys.responses.GetQuestionnaire(g.annotate(r.Context(), r), &implementationv1.GetQuestionnaireRequest{Token: token})
	if err != nil {
		g.failPage(w, err)
		return
	}
	if r.Method != http.MethodPost {
		g.showForm(w, http.StatusOK, questionnaire, nil, "")
		return
	}
	if err := r.ParseForm(); err != nil {
		g.failPage(w, fault.Invalid("INVALID_FORM", "the answers could not be read; go back and send them again"))
		return
	}
	answers := formAnswers(questionnaire, r)
	_, err = g.surveys.responses.SubmitAnswers(g.annotate(r.Context(), r), &implementationv1.SubmitAnswersRequest{Token: token, Answers: answers})
	switch f := fault.From(err); {
	case err == nil:
		g.showPage(w, http.StatusOK, formPage{Title: title(questionnaire), Message: "Thank you. Your answers are kept."})
	case f.Kind() == fault.KindInvalid:
		g.showForm(w, http.StatusUnprocessableEntity, questionnaire, answers, f.Message())
	default:
		g.failPage(w, err)
	}
}

func (g *Gateway) followAsData(w http.ResponseWriter, r *http.Request, token string) {
	secureAPI(w.Header())
	answer, err := g.exchange(r, token)
	if err != nil {
		g.writeProblem(w, err)
		return
	}
	data, err := marshalJSON(answer)
	if err != nil {
		g.writeProblem(w, err)
		return
	}
	w.Header()["Content-Type"] = contentJSON
	_, _ = w.Write(data) //nolint:gosec // JSON, sent with nosniff
}

func (g *Gateway) exchange(r *http.Request, token string) (proto.Message, error) {
	ctx := g.annotate(r.Context(), r)
	if r.Method != http.MethodPost {
		return g.surveys.responses.GetQuestionnaire(ctx, &implementationv1.GetQuestionnaireRequest{Token: token})
	}
	var req implementationv1.SubmitAnswersRequest
	if err := newCodec().NewDecoder(r.Body).Decode(&req); err != nil {
		return nil, err
	}
	req.Token = token
	return g.surveys.responses.SubmitAnswers(ctx, &req)
}

func title(q *implementationv1.Questionnaire) string {
	if q.GetDisplayName() != "" {
		return q.GetDisplayName()
	}
	return "A few questions"
}

func (g *Gateway) showForm(w http.ResponseWriter, code int, q *implementationv1.Questionnaire, given []*implementationv1.Answer, mistake string) {
	page := formPage{Title: title(q), Questionnaire: q, Error: mistake, Fields: formFields(q, given)}
	if q.GetCloseTime() != nil {
		page.Until = q.GetCloseTime().AsTime().Format("2 January 2006, 15:04 MST")
	}
	g.showPage(w, code, page)
}

// failPage says on a page what went wrong.
func (g *Gateway) failPage(w http.ResponseWriter, err error) {
	f := problem(err)
	g.showPage(w, httpStatus(f), formPage{Title: "This cannot be shown", Message: strings.ToUpper(f.Message()[:1]) + f.Message()[1:] + "."})
}

func (g *Gateway) showPage(w http.ResponseWriter, code int, page formPage) {
	h := w.Header()
	securePage(h)
	h["Cache-Control"] = noStore
	h["Content-Security-Policy"] = formOnly
	h["Content-Type"] = []string{"text/html; charset=utf-8"}
	w.WriteHeader(code)
	_ = g.surveys.page.Execute(w, page) // only a client that went away makes it fail
}

// eachItem is every single thing that a questionnaire asks, with the name of its field.
func eachItem(q *implementationv1.Questionnaire, do func(question *implementationv1.Question, item int32, text, name string)) {
	for _, question := range q.GetQuestions() {
		if len(question.GetItems()) == 0 {
			do(question, 0, "", question.GetId())
		}
		for i, text := range question.GetItems() {
			do(question, int32(i+1), text, question.GetId()+"."+strconv.Itoa(i+1))
		}
	}
}

func formFields(q *implementationv1.Questionnaire, given []*implementationv1.Answer) []formField {
	var fields []formField
	eachItem(q, func(question *implementationv1.Question, item int32, text, name string) {
		field := formField{Name: name, Text: question.GetText(), Item: text}
		at := slices.IndexFunc(given, func(a *implementationv1.Answer) bool {
			return a.GetQuestion() == question.GetId() && a.GetItem() == item
		})
		var was *implementationv1.Answer
		if at >= 0 {
			was = given[at]
		}
		low, high, ends := scale(question)
		if question.GetKind() == implementationv1.Question_COMMENT {
			field.Comment, field.Words = true, was.GetComment()
		} else {
			field.Ends = ends
			for value := low; value <= high; value++ {
				field.Choices = append(field.Choices, formChoice{Value: value, Chosen: was != nil && was.Value != nil && was.GetValue() == value})
			}
		}
		fields = append(fields, field)
	})
	return fields
}

// scale is the ends of a question, and what they mean.
func scale(q *implementationv1.Question) (low, high int32, ends string) {
	switch q.GetKind() {
	case implementationv1.Question_ENPS:
		return 0, 10, "0: not at all likely. 10: extremely likely."
	case implementationv1.Question_CSAT:
		return 1, 5, "1: very dissatisfied. 5: very satisfied."
	case implementationv1.Question_LIKERT:
		return 1, q.GetPoints(), fmt.Sprintf("1: strongly disagree. %d: strongly agree.", q.GetPoints())
	default:
		return 1, 5, "1: strongly disagree. 5: strongly agree."
	}
}

// formAnswers are the answers of a form. What is no number is left out: the service says what is missing.
func formAnswers(q *implementationv1.Questionnaire, r *http.Request) []*implementationv1.Answer {
	var answers []*implementationv1.Answer
	eachItem(q, func(question *implementationv1.Question, item int32, _, name string) {
		given := r.PostForm.Get(name)
		answer := &implementationv1.Answer{Question: question.GetId(), Item: item}
		if question.GetKind() == implementationv1.Question_COMMENT {
			answer.Comment = strings.ReplaceAll(given, "\r\n", "\n")
		} else {
			value, err := strconv.ParseInt(given, 10, 32)
			if err != nil {
				return
			}
			answer.Value = new(int32(value))
		}
		answers = append(answers, answer)
	})
	return answers
}
