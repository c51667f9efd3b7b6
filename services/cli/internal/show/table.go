package show

import (
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Rows writes lines whose columns are aligned by what is seen of them: text/tabwriter
// counts the bytes of a colour too. The last column is not padded.
func Rows(w io.Writer, rows [][]string) error {
	for _, line := range Align(rows) {
		if _, err := io.WriteString(w, Safe(line)+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// Align is Rows as lines.
func Align(rows [][]string) []string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], seen(cell))
		}
	}
	lines := make([]string, 0, len(rows))
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-seen(cell)+2))
			}
		}
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return lines
}

// seen counts the columns of text that a terminal shows.
func seen(text string) int {
	count := 0
	for _, r := range plain(text) {
		count += columnsOfRune(r)
	}
	return count
}

// columnsOfRune is how many columns of a terminal a character takes: two in Chinese, none for an accent of its own.
func columnsOfRune(r rune) int {
	if r < unicode.MaxLatin1 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// plain is text without colours.
func plain(text string) string {
	for {
		start := strings.Index(text, "\x1b[")
		if start < 0 {
			return text
		}
		end := strings.IndexByte(text[start:], 'm')
		if end < 0 {
			return text
		}
		text = text[:start] + text[start+end+1:]
	}
}

// Cut shortens a line to what fits, and ends its colours.
func Cut(line string, most int) string {
	if most <= 1 || seen(line) <= most {
		return line
	}
	var out strings.Builder
	count, escape := 0, false
	for _, r := range line {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm'
		case count+columnsOfRune(r) > most-1:
			out.WriteString("…")
			if strings.Contains(line, "\x1b") {
				out.WriteString("\x1b[0m")
			}
			return out.String()
		default:
			count += columnsOfRune(r)
		}
		out.WriteRune(r)
	}
	return out.String()
}
