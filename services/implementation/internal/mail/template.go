package mail

import (
	"fmt"
	"strings"
	"time"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Course is what people are invited to.
type Course struct {
	// Title is the training's name for people.
	Title string
	// Start, End and Place are the session's; zero where no session is meant.
	Start, End time.Time
	Place      string
	// Due is by when it should be done; zero where nobody said.
	Due time.Time
	// Link is where people sign up or learn more.
	Link string
	// Note are words of the one who invites.
	Note string
}

// Words are the subject and the text of an invitation or a reminder.
func (c Course) Words(kind implementationv1.Mail_Kind) (subject, text string) {
	what := Line(c.Title)
	subject = "You are invited: " + what
	if kind == implementationv1.Mail_REMINDER {
		subject = "Still to be done: " + what
	}
	var b strings.Builder
	if note := strings.TrimSpace(c.Note); note != "" {
		b.WriteString(note + "\n\n")
	}
	if kind == implementationv1.Mail_REMINDER {
		fmt.Fprintf(&b, "You have not yet taken the training \"%s\".\n", what)
	} else {
		fmt.Fprintf(&b, "Please take the training \"%s\".\n", what)
	}
	if !c.Start.IsZero() {
		fmt.Fprintf(&b, "\n- When: %s to %s\n", c.Start.Format("Monday, 2 January 2006, 15:04"), c.End.Format("15:04 MST"))
		if place := Line(c.Place); place != "" {
			fmt.Fprintf(&b, "- Where: %s\n", place)
		}
	}
	if !c.Due.IsZero() {
		fmt.Fprintf(&b, "\nPlease do it by %s.\n", c.Due.Format("Monday, 2 January 2006"))
	}
	if c.Link != "" {
		fmt.Fprintf(&b, "\nHere is where to begin: <%s>\n", c.Link)
	}
	return subject, b.String()
}
