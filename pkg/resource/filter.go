package resource

import (
	"fmt"
	"slices"
	"strings"

	"go.einride.tech/aip/filtering"
	expr "google.golang.org/genproto/googleapis/api/expr/v1alpha1"

	"github.com/golive-dev/golive/pkg/fault"
)

// Bounds of a filter: what a person writes is far below, and the databases'
// own bounds on expressions are far above.
const (
	maxFilter      = 2000
	maxFilterDepth = 32
)

// filterer compiles a parsed AIP-160 filter to SQL. Texts of the client only
// ever become arguments; the SQL is made of the kind's own column names. Types
// are checked here rather than by einride's checker, because an answer such as
// "state has no value FOO" helps more than one about overloads.
type filterer struct {
	*arguments
	table   string
	columns map[string]visible
	enums   func(path string) enumValues
	sets    []set
}

// refusal is what is wrong with a filter, said to a person.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// filter compiles a filter to one condition; empty for an empty filter.
func (k *Kind[M]) filter(a *arguments, filter string) (string, error) {
	if strings.TrimSpace(filter) == "" {
		return "", nil
	}
	f := &filterer{arguments: a, table: k.table, columns: k.visible, enums: k.enumValues, sets: k.sets}
	condition, err := f.compile(filter)
	if err != nil {
		return "", fault.Invalid(ReasonInvalidFilter, "filter cannot be used: %v; correct it and ask again", err).Field("filter", err.Error())
	}
	return condition, nil
}

func (f *filterer) compile(filter string) (string, error) {
	if len(filter) > maxFilter {
		return "", refuse("it has %d bytes; at most %d are read", len(filter), maxFilter)
	}
	var parser filtering.Parser
	parser.Init(filter)
	parsed, err := parser.Parse()
	if err != nil {
		return "", refuse("%s", innermost(err))
	}
	return f.condition(parsed.GetExpr(), 0)
}

// innermost is the first thing that the parser did not understand, in one line.
func innermost(err error) string {
	type positioned interface {
		Position() filtering.Position
		Message() string
	}
	said := "it is no AIP-160 filter"
	for err != nil {
		if p, ok := err.(positioned); ok {
			said = fmt.Sprintf("%s at column %d", p.Message(), p.Position().Column)
		}
		wrapped, ok := err.(interface{ Unwrap() error })
		if !ok {
			break
		}
		err = wrapped.Unwrap()
	}
	return said
}

// condition compiles what must be true or false.
func (f *filterer) condition(e *expr.Expr, depth int) (string, error) {
	if depth > maxFilterDepth {
		return "", refuse("it is nested more than %d deep", maxFilterDepth)
	}
	call := e.GetCallExpr()
	if call == nil {
		return "", refuse("%s stands alone; compare a field, as in `field = value`", describe(e))
	}
	switch fn, args := call.GetFunction(), call.GetArgs(); fn {
	case filtering.FunctionAnd, filtering.FunctionFuzzyAnd:
		return f.chain(e, " AND ", depth, filtering.FunctionAnd, filtering.FunctionFuzzyAnd)
	case filtering.FunctionOr:
		return f.chain(e, " OR ", depth, filtering.FunctionOr)
	case filtering.FunctionNot:
		if len(args) != 1 {
			return "", refuse("NOT takes one condition")
		}
		inner, err := f.condition(args[0], depth+1)
		return "NOT " + inner, err
	case "=", "!=", "<", "<=", ">", ">=", ":":
		if len(args) != 2 {
			return "", refuse("%s compares two things", fn)
		}
		return f.restriction(args[0], fn, args[1])
	default:
		return "", refuse("there is no function %q", clip(fn))
	}
}

// chain compiles a AND b AND c as one list: the parser nests it to the left,
// and a database's depth is not to be spent on that.
func (f *filterer) chain(e *expr.Expr, operator string, depth int, functions ...string) (string, error) {
	var operands []*expr.Expr
	for slices.Contains(functions, e.GetCallExpr().GetFunction()) {
		args := e.GetCallExpr().GetArgs()
		if len(args) != 2 {
			return "", refuse("%sneeds a condition on both sides", strings.TrimPrefix(operator, " "))
		}
		operands = append(operands, args[1])
		e = args[0]
	}
	operands = append(operands, e)
	slices.Reverse(operands)
	conditions := make([]string, len(operands))
	for i, operand := range operands {
		var err error
		if conditions[i], err = f.condition(operand, depth+1); err != nil {
			return "", err
		}
	}
	return "(" + strings.Join(conditions, operator) + ")", nil
}

// restriction compiles one comparison: what is on the left decides how.
func (f *filterer) restriction(left *expr.Expr, operator string, right *expr.Expr) (string, error) {
	path, ok := pathOf(left)
	if !ok {
		return "", refuse("%s is no field; write the field on the left", describe(left))
	}
	if c, ok := f.columns[strings.Join(path, ".")]; ok {
		return f.compare(strings.Join(path, "."), c, operator, right)
	}
	for _, s := range f.sets {
		length := strings.Count(s.path, ".") + 1
		if len(path) >= length && strings.Join(path[:length], ".") == s.path {
			return f.has(s, path[length:], operator, right)
		}
	}
	return "", refuse("there is no field %q to filter by; there are: %s", clip(strings.Join(path, ".")), f.known())
}

func (f *filterer) known() string {
	names := []string{sorted(f.columns)}
	for _, s := range f.sets {
		names = append(names, s.path)
	}
	return strings.Join(names, ", ")
}

// pathOf reads `a.b.c`.
func pathOf(e *expr.Expr) ([]string, bool) {
	switch kind := e.GetExprKind().(type) {
	case *expr.Expr_IdentExpr:
		return []string{kind.IdentExpr.GetName()}, true
	case *expr.Expr_SelectExpr:
		path, ok := pathOf(kind.SelectExpr.GetOperand())
		return append(path, kind.SelectExpr.GetField()), ok
	default:
		return nil, false
	}
}

// describe names an expression in a refusal.
func describe(e *expr.Expr) string {
	if path, ok := pathOf(e); ok {
		return fmt.Sprintf("%q", clip(strings.Join(path, ".")))
	}
	switch c := e.GetConstExpr().GetConstantKind().(type) {
	case *expr.Constant_StringValue:
		return fmt.Sprintf("%q", clip(c.StringValue))
	case *expr.Constant_Int64Value:
		return fmt.Sprint(c.Int64Value)
	case *expr.Constant_DoubleValue:
		return fmt.Sprint(c.DoubleValue)
	default:
		return "an expression"
	}
}
