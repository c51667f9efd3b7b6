package resource

import (
	"strings"
	"time"
	"unicode/utf8"

	expr "google.golang.org/genproto/googleapis/api/expr/v1alpha1"
)

// enumValues are the numbers of an enum's values by name.
type enumValues map[string]int64

func (k *Kind[M]) enumValues(path string) enumValues {
	column, ok := k.visible[path]
	if !ok || column.of < 0 {
		return nil
	}
	values := k.columns[column.of].enum.Values()
	byName := make(enumValues, values.Len())
	for i := range values.Len() {
		byName[string(values.Get(i).Name())] = int64(values.Get(i).Number())
	}
	return byName
}

// sqlOperator are the comparisons as SQL writes them. A client's operator is looked up here and nowhere else.
func sqlOperator(operator string) string {
	switch operator {
	case "=", "<", "<=", ">", ">=":
		return operator
	case "!=":
		return "<>"
	default:
		return ""
	}
}

// compare compiles a comparison of a column by its type.
func (f *filterer) compare(path string, c visible, operator string, right *expr.Expr) (string, error) {
	if operator == ":" {
		return f.present(path, c, right)
	}
	column := f.table + "." + c.column
	switch c.typ {
	case typeText:
		return f.compareText(path, column, operator, right)
	case typeTime:
		return f.compareTime(path, column, operator, right)
	case typeInt:
		number, ok := right.GetConstExpr().GetConstantKind().(*expr.Constant_Int64Value)
		if !ok {
			return "", refuse("%s is compared with a whole number, not %s", path, describe(right))
		}
		return column + " " + sqlOperator(operator) + " " + f.mark(number.Int64Value), nil
	default:
		return f.compareNamed(path, column, c.typ, operator, right)
	}
}

// present compiles `field:*`, the only has that a single value knows.
func (f *filterer) present(path string, c visible, right *expr.Expr) (string, error) {
	if value, _ := textOf(right); value != "*" {
		return "", refuse("%s has one value; compare it with =, or ask with %s:* whether it is set", path, path)
	}
	if c.typ == typeText {
		return f.table + "." + c.column + " <> ''", nil
	}
	return f.table + "." + c.column + " <> 0", nil
}

// compareText knows one wildcard, at the end of what = and != compare with.
func (f *filterer) compareText(path, column, operator string, right *expr.Expr) (string, error) {
	value, ok := textOf(right)
	if !ok {
		return "", refuse("%s is compared with a text, not %s", path, describe(right))
	}
	if strings.ContainsRune(value, 0) {
		return "", refuse("the text for %s has a zero byte", path)
	}
	if operator != "=" && operator != "!=" {
		return column + " " + sqlOperator(operator) + " " + f.mark(value), nil
	}
	condition, err := f.matches(path, column, value)
	if err == nil && operator == "!=" {
		condition = "NOT " + condition
	}
	return condition, err
}

// matches is equality, or a prefix with a * at its end.
func (f *filterer) matches(path, column, value string) (string, error) {
	prefix, open := strings.CutSuffix(value, "*")
	switch {
	case strings.Contains(prefix, "*"):
		return "", refuse("%s can be compared with a text that ends in *, not one with a * elsewhere", path)
	case !open:
		return "(" + column + " = " + f.mark(value) + ")", nil
	case prefix == "":
		return "(1 = 1)", nil
	default:
		return f.prefix(column, prefix), nil
	}
}

// compareTime leaves out rows whose time is not set: nothing is before or after never.
func (f *filterer) compareTime(path, column, operator string, right *expr.Expr) (string, error) {
	if call := right.GetCallExpr(); call.GetFunction() == "timestamp" && len(call.GetArgs()) == 1 {
		right = call.GetArgs()[0]
	}
	value, ok := textOf(right)
	if !ok {
		return "", refuse("%s is compared with a time such as \"2026-01-31T08:00:00Z\", not %s", path, describe(right))
	}
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		if at, err = time.Parse(time.DateOnly, value); err != nil {
			return "", refuse("%s is compared with a time such as \"2026-01-31T08:00:00Z\", in quotes, not %q", path, clip(value))
		}
	}
	return "(" + column + " " + sqlOperator(operator) + " " + f.mark(at.UnixMicro()) + " AND " + column + " <> 0)", nil
}

// compareNamed compares booleans and enums with the names of their values.
func (f *filterer) compareNamed(path, column string, typ columnType, operator string, right *expr.Expr) (string, error) {
	if operator != "=" && operator != "!=" {
		return "", refuse("%s has no order; compare it with = or !=", path)
	}
	values := enumValues{"true": 1, "false": 0}
	if typ == typeEnum {
		values = f.enums(path)
	}
	name, _ := textOf(right)
	number, ok := values[name]
	if !ok {
		return "", refuse("%s has no value %s; it has: %s", path, describe(right), sorted(values))
	}
	return column + " " + sqlOperator(operator) + " " + f.mark(number), nil
}

// has compiles a condition on the side table. Maps: `labels:env`,
// `labels.env:*`, `labels.env = "prod"`, and != which is true where the key is
// absent too. Lists: `cohorts:pilot`, `cohorts:*`.
func (f *filterer) has(s set, rest []string, operator string, right *expr.Expr) (string, error) {
	value, ok := textOf(right)
	if !ok || strings.ContainsRune(value, 0) {
		return "", refuse("%s holds texts; %s is none", s.path, describe(right))
	}
	key := strings.Join(rest, ".") // keys may have dots
	within := "resource_sets.name = " + f.table + ".name AND resource_sets.field = " + f.mark(s.path)
	var matching string
	var err error
	switch {
	case strings.ContainsRune(key, 0) || !utf8.ValidString(key):
		return "", refuse("%q is no text, and no key of %s", clip(key), s.path)
	case !s.isMap && key != "":
		return "", refuse("%s is a list; ask `%s:value`", s.path, s.path)
	case key == "" && operator != ":":
		return "", refuse("%s has many values; ask `%s:%s`", s.path, s.path, map[bool]string{true: "key", false: "value"}[s.isMap])
	case s.isMap && key == "":
		matching, err = f.matches(s.path, "resource_sets.key", value)
	case operator == ":" || operator == "=" || operator == "!=":
		if s.isMap {
			within += " AND resource_sets.key = " + f.mark(key)
		}
		matching, err = f.matches(s.path, "resource_sets.value", value)
	default:
		return "", refuse("%s.%s can be compared with =, != and :", s.path, clip(key))
	}
	if err != nil {
		return "", err
	}
	condition := "EXISTS (SELECT 1 FROM resource_sets WHERE " + within + " AND " + matching + ")"
	if operator == "!=" {
		condition = "NOT " + condition
	}
	return condition, nil
}

// textOf reads a value that may stand without quotes. What is no valid text is none.
func textOf(e *expr.Expr) (string, bool) {
	if c, ok := e.GetConstExpr().GetConstantKind().(*expr.Constant_StringValue); ok {
		return c.StringValue, utf8.ValidString(c.StringValue)
	}
	path, ok := pathOf(e)
	value := strings.Join(path, ".")
	return value, ok && utf8.ValidString(value)
}
