package sheet

import (
	"bytes"
	"encoding/csv"
	"strings"
	"time"
)

// Writer writes a file, a page at a time. Make it with [NewWriter].
type Writer struct {
	buffer bytes.Buffer
	csv    *csv.Writer
	rows   int
	cells  []string
}

// NewWriter begins a page. The header is for the first one; without it the page continues a file.
func NewWriter(header ...string) *Writer {
	w := &Writer{}
	w.csv = csv.NewWriter(&w.buffer)
	if len(header) > 0 {
		w.write(header)
	}
	return w
}

// Row adds a row.
func (w *Writer) Row(cells ...string) {
	w.rows++
	w.cells = w.cells[:0]
	for _, cell := range cells {
		w.cells = append(w.cells, guard(cell))
	}
	w.write(w.cells)
}

func (w *Writer) write(cells []string) {
	_ = w.csv.Write(cells) // a buffer takes everything
}

// Rows is how many rows there are.
func (w *Writer) Rows() int { return w.rows }

// Bytes is the page.
func (w *Writer) Bytes() []byte {
	w.csv.Flush()
	return w.buffer.Bytes()
}

// formula begins a cell that a spreadsheet computes instead of showing it.
const formula = "=+-@\t\r"

// guard makes a spreadsheet show a cell as it is: an apostrophe in front is its sign for text (OWASP, CSV injection).
func guard(cell string) string {
	if computed(cell) {
		return "'" + cell
	}
	return cell
}

// unguard takes back what guard put in front, so that what was exported is imported as it was.
func unguard(cell string) string {
	if strings.HasPrefix(cell, "'") && computed(cell) {
		return cell[1:]
	}
	return cell
}

// computed says that a cell is a formula, or one behind apostrophes.
func computed(cell string) bool {
	bare := strings.TrimLeft(cell, "'")
	return bare != "" && strings.IndexByte(formula, bare[0]) >= 0
}

// Time is a moment as files have it: a date where it begins one in UTC, empty where it is zero.
func Time(t time.Time) string {
	switch t = t.UTC(); {
	case t.IsZero():
		return ""
	case t.Equal(t.Truncate(24 * time.Hour)):
		return t.Format(time.DateOnly)
	default:
		return t.Format(time.RFC3339Nano)
	}
}
