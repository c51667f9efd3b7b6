package survey

import (
	"fmt"
	"html"
	"strings"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// RetentionMonths is how long single answers are kept after a wave has closed.
const RetentionMonths = 12

// Promise is what those who answer are told before they do.
func Promise(w *implementationv1.SurveyWave) string {
	if w.GetAttributed() {
		return "Your answers are kept with your person. Those who may read about single people can see what you answered. " +
			fmt.Sprintf("They are removed %d months after the survey has closed.", RetentionMonths)
	}
	return fmt.Sprintf("Your answers are anonymous. The link only makes sure that everybody answers once; it is not kept with the answers. "+
		"Ratings are told of groups of at least %d answers and comments only where there are at least %d, in no order. "+
		"Do not write into a comment who you are. Single answers are removed %d months after the survey has closed.",
		w.GetThreshold(), w.GetCommentThreshold(), RetentionMonths)
}

// Page is a text with headings, paragraphs and lists, for Markdown and HTML alike.
type Page []part

type part struct {
	heading string
	lines   []string
	list    bool
}

// Notice is the transparency page of a survey and its latest waves. It is made
// from what is configured, so that it says what is done.
func Notice(s *implementationv1.Survey, waves []*implementationv1.SurveyWave) Page {
	title := s.GetDisplayName()
	if title == "" {
		title = "Survey"
	}
	page := Page{{heading: title}}
	if s.GetIntroduction() != "" {
		page = append(page, part{lines: []string{s.GetIntroduction()}})
	}
	if s.GetOwner() != "" {
		page = append(page, part{lines: []string{"Who answers for it: " + s.GetOwner() + "."}})
	}
	page = append(page, part{heading: "What is asked"}, part{lines: asked(s), list: true})
	page = append(page, part{heading: "Who sees what"}, part{lines: whoSees(s), list: true})
	page = append(page, part{heading: "From how many answers on"}, part{lines: thresholds(waves), list: true})
	return append(page, part{heading: "For how long"}, part{list: true, lines: []string{
		fmt.Sprintf("Single answers, and who was asked, are removed %d months after a wave has closed. A receipt says how many.", RetentionMonths),
		"The numbers about groups that were published stay.",
		"Who has read numbers is written down, without the numbers.",
	}})
}

func asked(s *implementationv1.Survey) []string {
	var all []string
	for _, q := range s.GetQuestions() {
		low, high := Scale(q)
		scale := fmt.Sprintf("%d to %d", low, high)
		if q.GetKind() == comment {
			scale = "in your own words, or not at all"
		}
		if len(q.GetItems()) == 0 {
			all = append(all, fmt.Sprintf("%s (%s)", q.GetText(), scale))
		}
		for _, item := range q.GetItems() {
			all = append(all, fmt.Sprintf("%s %s (%s)", q.GetText(), item, scale))
		}
	}
	return all
}

func whoSees(s *implementationv1.Survey) []string {
	if s.GetAttributed() {
		return []string{
			"Answers are kept with the person who gave them.",
			"Those who may read about single people (operators, approvers and administrators) can read them; each reading is written down.",
			"Everybody else with access sees numbers about groups.",
		}
	}
	return []string{
		"Nobody sees what one person answered. Answers are kept without the person, the link, the time and the order in which they came.",
		"Everybody with access sees the same numbers about groups: all who were asked, their cohorts, and where the wave says so one more attribute such as the site. There is no other way to group or filter them.",
		"Who runs the database can see who has used their link. Until at least five answers of a wave have come, or it closes, they wait in one table, and in this time a copy of the disk and its journal could show which came together with which link.",
		"A number is left out where it, or what follows from it and other numbers, would be about fewer people than the threshold.",
	}
}

func thresholds(waves []*implementationv1.SurveyWave) []string {
	var all []string
	for _, w := range waves {
		name := w.GetDisplayName()
		if name == "" {
			name = w.GetName()[strings.LastIndexByte(w.GetName(), '/')+1:]
		}
		all = append(all, fmt.Sprintf("%s, opened %s: ratings from %d answers on, comments from %d.",
			name, w.GetOpenedTime().AsTime().Format("2 January 2006"), w.GetThreshold(), w.GetCommentThreshold()))
	}
	return append(all, "Never fewer than 5 answers for ratings and 10 for comments. What a wave was opened with is not changed.")
}

// Markdown writes the page as Markdown.
func (p Page) Markdown() string {
	var b strings.Builder
	for i, one := range p {
		if one.heading != "" {
			b.WriteString(strings.Repeat("#", 1+min(i, 1)) + " " + plain(one.heading) + "\n\n")
		}
		for _, line := range one.lines {
			if one.list {
				b.WriteString("- ")
			}
			b.WriteString(plain(line) + "\n")
		}
		if len(one.lines) > 0 {
			b.WriteString("\n")
		}
	}
	return strings.TrimSpace(b.String()) + "\n"
}

// plain is text that Markdown takes for nothing else.
func plain(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`, "<", `\<`, "#", `\#`).Replace(text)
}

// HTML writes the page as a part of an HTML page.
func (p Page) HTML() string {
	var b strings.Builder
	for i, one := range p {
		if one.heading != "" {
			fmt.Fprintf(&b, "<h%d>%s</h%[1]d>\n", 1+min(i, 1), html.EscapeString(one.heading))
		}
		if one.list {
			b.WriteString("<ul>\n")
		}
		tag := "p"
		if one.list {
			tag = "li"
		}
		for _, line := range one.lines {
			fmt.Fprintf(&b, "<%s>%s</%[1]s>\n", tag, html.EscapeString(line))
		}
		if one.list {
			b.WriteString("</ul>\n")
		}
	}
	return b.String()
}
