package resource

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"go.einride.tech/aip/ordering"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/golive-dev/golive/pkg/fault"
)

// visible is a column as filter and order_by see it.
type visible struct {
	column string
	typ    columnType
	of     int // index in Kind.columns; -1 for the fixed ones
}

// visibleColumns is the one list of what a client may name; everything that
// reaches SQL text is looked up here.
func (k *Kind[M]) visibleColumns() map[string]visible {
	all := map[string]visible{"name": {column: "name", typ: typeText, of: -1}}
	if k.managed.createTime != nil {
		all["create_time"] = visible{column: "create_time", typ: typeTime, of: -1}
	}
	if k.managed.updateTime != nil {
		all["update_time"] = visible{column: "update_time", typ: typeTime, of: -1}
	}
	for i, c := range k.columns {
		if !c.internal {
			all[c.path] = visible{column: c.name, typ: c.typ, of: i}
		}
	}
	return all
}

// term is one step of an order, over a unique column at the end.
type term struct {
	visible
	desc bool
}

// orderBy reads order_by and makes the order total with the name, which goes
// the way of the last term so that one index serves both.
func (k *Kind[M]) orderBy(orderBy string) ([]term, error) {
	var parsed ordering.OrderBy
	if err := parsed.UnmarshalString(orderBy); err != nil {
		return nil, invalidOrder(orderBy, "write it as `field, other_field desc`")
	}
	var terms []term
	seen := map[string]bool{}
	for _, field := range parsed.Fields {
		column, ok := k.visible[field.Path]
		if !ok {
			return nil, invalidOrder(orderBy, fmt.Sprintf("%q is not one of: %s", clip(field.Path), sorted(k.visible)))
		}
		if seen[field.Path] {
			return nil, invalidOrder(orderBy, fmt.Sprintf("%q is there twice", field.Path))
		}
		seen[field.Path] = true
		terms = append(terms, term{visible: column, desc: field.Desc})
		if field.Path == "name" {
			return terms, nil // what follows cannot matter
		}
	}
	last := len(terms) > 0 && terms[len(terms)-1].desc
	return append(terms, term{visible: k.visible["name"], desc: last}), nil
}

func invalidOrder(orderBy, why string) error {
	return fault.Invalid(ReasonInvalidOrderBy, "order_by %q cannot be used: %s; correct it and ask again", clip(orderBy), why).Field("order_by", why)
}

// token is where a page ended: the values of the order's columns, texts and
// numbers apart, each in order. A client that forges one reads the list it
// may read anyway, from another place.
type token struct {
	Sum     string   `json:"s"`
	Texts   []string `json:"t,omitempty"`
	Numbers []int64  `json:"n,omitempty"`
}

// checksum binds a page token to the list it continues.
func checksum(parts ...string) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%q", parts)))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func (k *Kind[M]) pageToken(q *query, last M) string {
	t := token{Sum: q.sum}
	for _, by := range q.order {
		switch v := k.orderValue(by, last).(type) {
		case string:
			t.Texts = append(t.Texts, v)
		case int64:
			t.Numbers = append(t.Numbers, v)
		}
	}
	data, err := json.Marshal(t)
	if err != nil {
		panic(err) // strings and numbers
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// orderValue is what the row of m has in the column.
func (k *Kind[M]) orderValue(by term, m M) any {
	switch by.column {
	case "name":
		return k.nameOf(m)
	case "create_time":
		return fieldValue(m.ProtoReflect(), []protoreflect.FieldDescriptor{k.managed.createTime}, typeTime)
	case "update_time":
		return fieldValue(m.ProtoReflect(), []protoreflect.FieldDescriptor{k.managed.updateTime}, typeTime)
	default:
		return k.columns[by.of].value(m)
	}
}

// resume adds the condition that skips what earlier pages answered.
func (k *Kind[M]) resume(q *query, pageToken string) error {
	if pageToken == "" {
		return nil
	}
	var t token
	data, err := base64.RawURLEncoding.DecodeString(pageToken)
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err != nil {
		return fault.Invalid(ReasonInvalidPageToken, "page_token is none of ours; begin again without one").
			Field("page_token", "must be the next_page_token of the page before")
	}
	if t.Sum != q.sum {
		return fault.Invalid(ReasonPageTokenMismatch,
			"page_token belongs to another list; send the parent, filter and order_by of the page before, or begin again without a token").
			Field("page_token", "belongs to another parent, filter or order_by")
	}
	values := make([]any, len(q.order))
	for i, by := range q.order {
		switch {
		case by.typ == typeText && len(t.Texts) > 0 && strings.IndexByte(t.Texts[0], 0) < 0:
			values[i], t.Texts = t.Texts[0], t.Texts[1:]
		case by.typ != typeText && len(t.Numbers) > 0:
			values[i], t.Numbers = t.Numbers[0], t.Numbers[1:]
		default:
			return fault.Invalid(ReasonInvalidPageToken, "page_token is none of ours; begin again without one").
				Field("page_token", "must be the next_page_token of the page before")
		}
	}
	q.where = append(q.where, q.past(values))
	return nil
}

// past is true for rows that come after the values. Where all terms go one
// way a row comparison says it, and an index serves it.
func (q *query) past(values []any) string {
	columns := make([]string, len(q.order))
	marks := make([]string, len(q.order))
	oneWay := true
	for i, by := range q.order {
		columns[i], marks[i] = by.column, q.mark(values[i])
		oneWay = oneWay && by.desc == q.order[0].desc
	}
	compare := func(desc bool) string {
		if desc {
			return " < "
		}
		return " > "
	}
	if oneWay {
		return "(" + strings.Join(columns, ", ") + ")" + compare(q.order[0].desc) + "(" + strings.Join(marks, ", ") + ")"
	}
	alternatives := make([]string, len(q.order))
	equal := ""
	for i, by := range q.order {
		alternatives[i] = "(" + equal + columns[i] + compare(by.desc) + marks[i] + ")"
		equal += columns[i] + " = " + marks[i] + " AND "
	}
	return "(" + strings.Join(alternatives, " OR ") + ")"
}
