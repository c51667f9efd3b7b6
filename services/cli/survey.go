package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
)

func (a *app) survey() *cobra.Command {
	return group("survey", "Ask people in waves, and read what may be told",
		a.surveyCreate(), a.surveyOpen(), a.surveyLinks(),
		a.surveyMove("close", "Take no more answers", "close", func(ctx context.Context, c waves, name string) (*implementationv1.SurveyWave, error) {
			return c.CloseSurveyWave(ctx, &implementationv1.CloseSurveyWaveRequest{Name: name})
		}),
		a.surveyMove("publish", "Decide what may be told of a closed wave, once and for all", "publish", func(ctx context.Context, c waves, name string) (*implementationv1.SurveyWave, error) {
			return c.PublishSurveyWave(ctx, &implementationv1.PublishSurveyWaveRequest{Name: name})
		}),
		a.surveyMove("purge", "Remove every single answer of a wave; what was published stays", "purge", func(ctx context.Context, c waves, name string) (*implementationv1.SurveyWave, error) {
			return c.PurgeSurveyWave(ctx, &implementationv1.PurgeSurveyWaveRequest{Name: name})
		}),
		a.surveyResults(), a.surveyTransparency())
}

// waves is the client of waves in short.
type waves = implementationv1.SurveyWaveServiceClient

// surveyMove is a command that moves a wave.
func (a *app) surveyMove(use, short, verb string, move func(ctx context.Context, c waves, name string) (*implementationv1.SurveyWave, error)) *cobra.Command {
	cmd := &cobra.Command{Use: use + " SURVEY/WAVE", Short: short, Example: "  golive survey " + verb + " pulse/march", Args: cobra.ExactArgs(1)}
	a.completeKind(cmd, "surveyWave")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("surveyWave"), args[0])
		if err != nil {
			return err
		}
		w, err := move(ctx, implementationv1.NewSurveyWaveServiceClient(c.people), name)
		if err != nil {
			return err
		}
		return c.printWave(w)
	})
}

func (c *client) printWave(w *implementationv1.SurveyWave) error {
	text := fmt.Sprintf("%s is %s", kind.Short(w.GetName()), w.GetState())
	switch w.GetState() {
	case implementationv1.SurveyWave_OPEN:
		text += fmt.Sprintf(": %d people are asked", w.GetAskedCount())
		if w.GetCompositionKept() {
			text += "; too few changed since the wave before, so the same people are asked again"
		}
	case implementationv1.SurveyWave_CLOSED:
		text += fmt.Sprintf(": %d of %d answered", w.GetResponseCount(), w.GetAskedCount())
	case implementationv1.SurveyWave_PURGED:
		r := w.GetPurgeReceipt()
		text += fmt.Sprintf(": %d responses, %d comments and %d invitations removed, receipt %s", r.GetResponseCount(), r.GetCommentCount(), r.GetInvitationCount(), r.GetDigest())
	default:
	}
	return c.printResult(w, text)
}

func (a *app) surveyCreate() *cobra.Command {
	var (
		title, introduction, owner, say string
		ask, csat, likert               []string
		attributed                      bool
	)
	cmd := &cobra.Command{
		Use: "create SURVEY", Short: "Make a survey of the usual questions, or of your own",
		Long: "The order is: --ask, --csat, --likert, --comment. For everything else, write a file and golive apply -f it.",
		Example: "  golive survey create pulse --title 'The new CRM' --ask adkar,enps --comment 'What else?'\n" +
			"  golive survey create tool --ask sus --csat 'How satisfied are you with the training?'",
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&title, "title", "", "its name, as those who answer read it")
	f.StringVar(&introduction, "intro", "", "what it is for, in a sentence or two")
	f.StringVar(&owner, "owner", "", "who answers for it")
	f.StringSliceVar(&ask, "ask", nil, "scales with their usual words: adkar, enps, sus")
	f.StringArrayVar(&csat, "csat", nil, "a question about satisfaction, 1 to 5")
	f.StringArrayVar(&likert, "likert", nil, "a statement of your own, 1 to 5")
	f.StringVar(&say, "comment", "", "a question that is answered in words, or not at all")
	f.BoolVar(&attributed, "attributed", false, "keep answers with the person; people are told so first, and it cannot be changed")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		k := mustFind("survey")
		name, err := c.name(k, args[0])
		if err != nil {
			return err
		}
		s := &implementationv1.Survey{DisplayName: title, Introduction: introduction, Owner: owner, Attributed: attributed}
		for _, word := range ask {
			number, ok := implementationv1.Question_Kind_value[strings.ToUpper(word)]
			if word = strings.ToLower(word); !ok || (word != "adkar" && word != "enps" && word != "sus") {
				return usage(word+" is no scale with usual words", "--ask takes adkar, enps and sus")
			}
			s.Questions = append(s.Questions, &implementationv1.Question{Id: word, Kind: implementationv1.Question_Kind(number)})
		}
		s.Questions = append(s.Questions, own(csat, implementationv1.Question_CSAT)...)
		s.Questions = append(s.Questions, own(likert, implementationv1.Question_LIKERT)...)
		if say != "" {
			s.Questions = append(s.Questions, own([]string{say}, implementationv1.Question_COMMENT)...)
		}
		if len(s.GetQuestions()) == 0 {
			return usage("the survey would ask nothing", "name questions with --ask, --csat, --likert or --comment")
		}
		made, err := c.create(ctx, k, name, s, false)
		if err != nil {
			return err
		}
		return c.printOne(k, made)
	})
}

// own are questions in one's own words, with the ids csat-1, csat-2 and so on.
func own(texts []string, of implementationv1.Question_Kind) []*implementationv1.Question {
	all := make([]*implementationv1.Question, len(texts))
	for i, text := range texts {
		all[i] = &implementationv1.Question{Id: fmt.Sprintf("%s-%d", strings.ToLower(of.String()), i+1), Kind: of, Text: text}
	}
	return all
}

func (a *app) surveyOpen() *cobra.Command {
	var (
		cohorts            []string
		by, until, base    string
		threshold, remarks int32
		byMail             bool
	)
	cmd := &cobra.Command{
		Use: "open SURVEY/WAVE", Short: "Ask people: freeze who is asked and what may be told, and take answers",
		Long: "A wave that does not exist yet is made of the flags; one that does is opened as it is.\n" +
			"With --mail the links go out at once; without it, golive survey links writes them to a file.",
		Example: "  golive survey open pulse/march --cohort sales --cohort support --by site --until 2026-03-20T17:00:00Z --mail", Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringSliceVar(&cohorts, "cohort", nil, "whom to ask, of a new wave")
	f.StringVar(&by, "by", "", "an attribute of memberships by which numbers are told, too: site")
	f.StringVar(&until, "until", "", "when it closes by itself, RFC 3339")
	f.StringVar(&base, "base-url", "", "where people reach the server; this context's server when not given")
	f.Int32Var(&threshold, "threshold", 0, "from how many answers on ratings are told; 5 when 0, never less")
	f.Int32Var(&remarks, "comment-threshold", 0, "from how many comments on comments are told; 10 when 0, never less")
	f.BoolVar(&byMail, "mail", false, "mail the links")
	a.completeKind(cmd, "surveyWave")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		k := mustFind("surveyWave")
		name, err := c.name(k, args[0])
		if err != nil {
			return err
		}
		if len(cohorts) > 0 {
			w := &implementationv1.SurveyWave{Attribute: by, Threshold: threshold, CommentThreshold: remarks, BaseUrl: base, Delivery: implementationv1.SurveyWave_BY_HAND}
			if base == "" {
				w.BaseUrl = c.url
			}
			if byMail {
				w.Delivery = implementationv1.SurveyWave_MAIL
			}
			if w.Cohorts, err = c.each(mustFind("cohort"), cohorts); err != nil {
				return err
			}
			if w.CloseTime, err = moment("until", until); err != nil {
				return err
			}
			if _, err := c.create(ctx, k, name, w, false); err != nil {
				return err
			}
		} else if _, err := c.fetch(ctx, k, name); fault.Is(err, fault.KindNotFound) {
			return usage("wave "+args[0]+" does not exist, and nobody is named to be asked", "name cohorts with --cohort")
		}
		w, err := implementationv1.NewSurveyWaveServiceClient(c.people).OpenSurveyWave(ctx, &implementationv1.OpenSurveyWaveRequest{Name: name})
		if err != nil {
			return err
		}
		return c.printWave(w)
	})
}

func (a *app) surveyLinks() *cobra.Command {
	var renew, byMail bool
	cmd := &cobra.Command{
		Use: "links SURVEY/WAVE", Short: "Write the links of those who have none yet as CSV, or mail them",
		Long: "Links are not stored: this is the only time that they can be read. Each works once.\n" +
			"--renew makes new ones, to remind people; the old ones stop working. In an anonymous survey everybody gets one, so that\n" +
			"nobody learns who answered; the link of who did says so.",
		Example: "  golive survey links pulse/march > links.csv\n  golive survey links pulse/march --renew --mail", Args: cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&renew, "renew", false, "new links for those who have one, too, to remind them")
	cmd.Flags().BoolVar(&byMail, "mail", false, "mail them instead of writing them")
	a.completeKind(cmd, "surveyWave")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		name, err := c.name(mustFind("surveyWave"), args[0])
		if err != nil {
			return err
		}
		sent, err := implementationv1.NewSurveyWaveServiceClient(c.people).SendSurveyLinks(ctx, &implementationv1.SendSurveyLinksRequest{
			Name: name, Renew: renew, HandOver: !byMail,
		})
		if err != nil {
			return err
		}
		if byMail || !c.format.ForPeople() {
			return c.printResult(proto.Message(sent), fmt.Sprintf("%d links are on their way", sent.GetLinkCount()))
		}
		_, err = c.out.Write(sent.GetCsv())
		return err
	})
}
