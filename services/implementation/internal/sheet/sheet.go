// Package sheet reads CSV files as people send them: in UTF-8, UTF-16 or what a
// spreadsheet takes for it, separated by comma, semicolon, tab or pipe, with columns in any order and
// under names of their own. What is wrong is answered by line, column and
// reason, all of it at once, because nobody likes to mend a file error by error.
// It writes such files too, in one form, safe to be opened in a spreadsheet.
package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
)

// Field is something that an import wants from each row.
type Field struct {
	// Name is the field's, and its column's unless the request says otherwise.
	Name string
	// Required fields have a column, and a value in every row.
	Required bool
}

// Row is one row of a file.
type Row struct {
	// Line is where it begins, the header being 1.
	Line   int
	values []string // in the order of the fields asked for
}

// Value is the trimmed value of the i-th field asked for; empty where the file has none.
func (r Row) Value(i int) string { return r.values[i] }

// File is a file that was read.
type File struct {
	// Rows are the good rows, the header and blank ones left out.
	Rows []Row
	// RowCount counts all rows that were read, bad ones too.
	RowCount int
	// Encoding is how the file was read.
	Encoding string
	// Ignored are the columns that the header has and nobody asked for.
	Ignored []string
	// Problems are what is wrong.
	Problems Problems

	fields  []Field
	columns []string // the file's name of each field's column
	at      []int    // its index, -1 where there is none
	width   int
}

// Column is what the file calls the column of the i-th field.
func (f *File) Column(i int) string { return f.columns[i] }

// ColumnOf is [File.Column] by the name of the field.
func (f *File) ColumnOf(name string) string {
	return f.columns[slices.IndexFunc(f.fields, func(field Field) bool { return field.Name == name })]
}

// Read reads a file. Columns says which column holds a field where the header
// does not name it so; a name that is no field is a mistake of the request and
// returned as an error. Everything about the file itself ends in Problems.
func Read(data []byte, fields []Field, columns map[string]string) (*File, error) {
	for name := range columns {
		if !slices.ContainsFunc(fields, func(f Field) bool { return f.Name == name }) {
			return nil, fault.Invalid("UNKNOWN_FIELD", "columns names %q, which is no field of this import; there are: %s", name, names(fields)).
				Field("columns", "names "+name+", which is no field of this import")
		}
	}
	f := &File{fields: fields}
	data, encoding, bad := decode(data)
	if bad != nil {
		f.Problems.Add(bad.line, "", "ENCODING_INVALID", "byte %d %s; save the file as CSV in UTF-8", bad.offset, bad.why)
		return f, nil
	}
	f.Encoding = encoding
	if bytes.IndexByte(data, '\n') < 0 { // line ends of old
		data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma = separator(data)
	r.FieldsPerRecord = -1 // judged here, so that a short row is one error and not the end
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		f.broken(err)
		return f, nil
	}
	if f.header(header, columns) {
		f.body(r, bytes.Count(data, []byte("\n")))
	}
	return f, nil
}

// separator is what occurs most in the header, outside of quotes.
func separator(data []byte) rune {
	best, most := ',', 0
	for _, candidate := range []byte{',', ';', '\t', '|'} {
		count, quoted := 0, false
		for _, b := range data {
			if b == '\n' && !quoted {
				break
			}
			quoted = quoted != (b == '"')
			if b == candidate && !quoted {
				count++
			}
		}
		if count > most {
			best, most = rune(candidate), count
		}
	}
	return best
}

// header finds the columns of the fields; false when the rows make no sense without.
func (f *File) header(header []string, columns map[string]string) bool {
	f.width = len(header)
	f.at, f.columns = make([]int, len(f.fields)), make([]string, len(f.fields))
	known := make([]string, len(header))
	for i, name := range header {
		known[i] = strings.TrimSpace(name)
	}
	good := true
	for i, field := range f.fields {
		wanted, mapped := columns[field.Name]
		if !mapped {
			wanted = field.Name
		}
		f.at[i], f.columns[i] = -1, wanted
		for j, name := range known {
			switch {
			case normal(name) != normal(wanted):
			case f.at[i] >= 0:
				f.Problems.Add(1, name, "COLUMN_DUPLICATE", "the header has column %q twice", name)
				good = false
			default:
				f.at[i], f.columns[i] = j, name
			}
		}
		if f.at[i] < 0 && (field.Required || mapped) {
			f.Problems.Add(1, wanted, "COLUMN_MISSING", "the header has no column %q; it has: %s; columns says what is called otherwise", wanted, strings.Join(known, ", "))
			good = false
		}
	}
	for j, name := range known {
		if name != "" && !slices.Contains(f.at, j) {
			f.Ignored = append(f.Ignored, name)
		}
	}
	return good
}

// normal makes "Start Date" the same column as start_date.
func normal(name string) string {
	return strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(name)))
}

// body reads the rows; expected is a guess of how many.
func (f *File) body(r *csv.Reader, expected int) {
	f.Rows = make([]Row, 0, expected)
	arena := make([]string, 0, expected*len(f.fields)) // one allocation for the values of all rows
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			f.broken(err)
			return
		}
		if blank(record) { // spreadsheets leave such rows behind
			continue
		}
		f.RowCount++
		line, _ := r.FieldPos(0)
		if len(record) != f.width {
			f.Problems.Add(line, "", "COLUMN_COUNT", "the row has %d fields, the header %d; quote values that hold a separator", len(record), f.width)
			continue
		}
		begin := len(arena)
		arena = f.pick(arena, record, line)
		if len(arena) > begin {
			f.Rows = append(f.Rows, Row{Line: line, values: arena[begin:len(arena):len(arena)]})
		}
	}
}

// pick appends the values of the fields, or nothing when a required one is empty.
func (f *File) pick(arena, record []string, line int) []string {
	begin, good := len(arena), true
	for i, field := range f.fields {
		value := ""
		if f.at[i] >= 0 {
			value = unguard(strings.TrimSpace(record[f.at[i]]))
		}
		if value == "" && field.Required {
			f.Problems.Add(line, f.columns[i], "VALUE_MISSING", "%s is empty", f.columns[i])
			good = false
		}
		arena = append(arena, value)
	}
	if !good {
		return arena[:begin]
	}
	return arena
}

// broken notes what the reader could not get over; what follows it means nothing.
func (f *File) broken(err error) {
	line := 1
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		line = parse.StartLine
		err = parse.Err
	} else if errors.Is(err, io.EOF) {
		err = errors.New("the file is empty; it needs a header line")
	}
	f.Problems.Add(line, "", "FORMAT_INVALID", "%s", sentence(err))
}

// sentence says what the reader means by its error.
func sentence(err error) string {
	switch {
	case errors.Is(err, csv.ErrQuote):
		return `a quote (") ends before its field does or is never closed; write a quote inside a field twice`
	case errors.Is(err, csv.ErrBareQuote):
		return `a quote (") stands inside an unquoted field; quote the field and write the quote twice`
	default:
		return err.Error()
	}
}

func blank(record []string) bool {
	return !slices.ContainsFunc(record, func(s string) bool { return strings.TrimSpace(s) != "" })
}

func names(fields []Field) string {
	all := make([]string, len(fields))
	for i, f := range fields {
		all[i] = f.Name
	}
	return strings.Join(all, ", ")
}

// describe keeps a value short in a message.
func describe(value string) string {
	const most = 80
	if len(value) > most {
		value = strings.ToValidUTF8(value[:most], "") + "…"
	}
	return fmt.Sprintf("%q", value)
}
