package show

import (
	"strings"
	"unicode"
)

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

// Safe is text that a terminal may get: what people wrote into a name or a comment
// could move its cursor, change its title, or hide words by turning their direction. Colours stay.
func Safe(text string) string {
	if strings.IndexFunc(text, unsafe) < 0 {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case !unsafe(r), r == escape && colours(text[i+1:]):
			b.WriteRune(r)
		default:
			b.WriteRune(unicode.ReplacementChar)
		}
	}
	return b.String()
}

const escape = '\x1b'

func unsafe(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

// colours says that what stands behind an escape is a colour and nothing else.
func colours(rest string) bool {
	number, ok := strings.CutPrefix(rest, "[")
	return ok && strings.HasPrefix(strings.TrimLeft(number, "0123456789;"), "m")
}

// look is how a state of any kind looks.
func look(word string) (glyph, colour string) {
	switch word {
	case "SUCCEEDED", "SEALED", "HEALTHY", "HEALTHY_NOW", "PASS", "MET", "ACTIVE", "PUBLISHED", "COMPLETED", "CONNECTED", "RESOLVED", "DONE", "SENT", "VERIFIED", "GO", "CONDITIONAL_GO":
		return "✓", green
	case "FAILED", "ROLLBACK_FAILED", "REVERT_FAILED", "REJECTED", "EXPIRED", "LOST", "UNHEALTHY", "FAIL", "NOT_MET", "ABANDONED", "QUARANTINED", "REVOKED", "OPEN", "BOUNCED", "MISSED", "NO_GO":
		return "✗", red
	case "REVERTING", "REVERTED", "ROLLED_BACK", "CANCELLING":
		return "↩", yellow
	case "PAUSING", "PAUSED", "FROZEN", "HELD", "UNKNOWN", "UNDECIDED", "AWAY", "INTERRUPTED":
		return "‖", yellow
	case "WAITING", "GATED", "WAIT", "WAIT_MIGRATION":
		return "◷", yellow
	case "PENDING", "QUEUED", "DRAFT", "ASSIGNED", "NOT_RUN":
		return "○", grey
	case "SKIPPED", "CANCELLED", "SUPERSEDED", "RETIRED", "WAIVED", "NO_TARGET", "WITHDRAWN", "":
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
