package sqldb

import (
	"strconv"
	"strings"
)

// Marks are n placeholders from $first on: "$3, $4, $5".
func Marks(first, n int) string {
	var b strings.Builder
	writeMarks(&b, first, n)
	return b.String()
}

// Tuples are the VALUES of an INSERT: "($1, $2), ($3, $4)".
func Tuples(rows, columns int) string {
	var b strings.Builder
	for row := range rows {
		if row > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		writeMarks(&b, row*columns+1, columns)
		b.WriteByte(')')
	}
	return b.String()
}

func writeMarks(b *strings.Builder, first, n int) {
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(first + i))
	}
}

// Texts are texts as the arguments of a statement.
func Texts(all []string) []any {
	args := make([]any, len(all))
	for i, text := range all {
		args[i] = text
	}
	return args
}
