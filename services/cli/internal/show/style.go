package show

import "strings"

// Style says how text may look.
type Style struct{ Colour bool }

// The colours of a terminal's own palette.
const (
	green  = "32"
	red    = "31"
	yellow = "33"
	blue   = "34"
	grey   = "90"
	bold   = "1"
)

// Bold is text that stands out.
func (s Style) Bold(text string) string { return s.paint(bold, text) }

// Dim is text that stands back.
func (s Style) Dim(text string) string { return s.paint(grey, text) }

// State is a state with its glyph and colour; never by colour alone.
func (s Style) State(word string) string {
	glyph, colour := look(word)
	return s.paint(colour, glyph+" "+word)
}

// stateOf is a state of a noun: what is open stands in the way, but for a survey that takes answers.
func (s Style) stateOf(noun, word string) string {
	if noun == "SurveyWave" && word == "OPEN" {
		return s.paint(blue, "▶ "+word)
	}
	return s.State(word)
}

func (s Style) paint(colour, text string) string {
	if !s.Colour || colour == "" || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// look is how a state of any kind looks.
func look(word string) (glyph, colour string) {
	switch word {
	case "SUCCEEDED", "SEALED", "HEALTHY", "HEALTHY_NOW", "PASS", "MET", "ACTIVE", "PUBLISHED", "COMPLETED", "CONNECTED", "RESOLVED", "DONE", "SENT", "VERIFIED":
		return "✓", green
	case "FAILED", "ROLLBACK_FAILED", "REVERT_FAILED", "REJECTED", "EXPIRED", "LOST", "UNHEALTHY", "FAIL", "NOT_MET", "ABANDONED", "QUARANTINED", "REVOKED", "OPEN", "BOUNCED", "MISSED":
		return "✗", red
	case "REVERTING", "REVERTED", "ROLLED_BACK", "CANCELLING":
		return "↩", yellow
	case "PAUSING", "PAUSED", "FROZEN", "HELD", "UNKNOWN", "UNDECIDED", "AWAY", "INTERRUPTED":
		return "‖", yellow
	case "WAITING", "GATED", "WAIT", "WAIT_MIGRATION":
		return "◷", yellow
	case "PENDING", "QUEUED", "DRAFT", "ASSIGNED", "NOT_RUN":
		return "○", grey
	case "SKIPPED", "CANCELLED", "SUPERSEDED", "RETIRED", "WAIVED", "NO_TARGET", "":
		return "–", grey
	default:
		return "▶", blue
	}
}

// Rank orders states for a picture that is cut to the height of its terminal:
// what failed comes first, then what moves, then what waits, then the rest.
func Rank(word string) int {
	glyph, _ := look(word)
	return strings.Index("✗↩▶‖◷○✓–", glyph)
}
