package resource

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"go.einride.tech/aip/resourceid"
	"google.golang.org/genproto/googleapis/api/annotations"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/sqldb"
)

// wildcard stands for every id of a collection in the parent of a List (AIP-159).
const wildcard = "-"

// pattern is a resource name pattern, such as
// workspaces/{workspace}/shelves/{shelf}, by its segments.
type pattern []segment

type segment struct {
	text     string // the literal, or the variable's name
	variable bool
}

// mustPattern panics on anything but one pattern whose variables follow a
// literal each: names that are told apart by more than their shape would need
// more than a comparison of segments.
func mustPattern(descriptor *annotations.ResourceDescriptor) pattern {
	if len(descriptor.GetPattern()) != 1 {
		panic("resource " + descriptor.GetType() + " needs exactly one pattern")
	}
	var p pattern
	for text := range strings.SplitSeq(descriptor.GetPattern()[0], "/") {
		name, variable := strings.CutPrefix(text, "{")
		p = append(p, segment{text: strings.TrimSuffix(name, "}"), variable: variable})
	}
	for i, s := range p {
		if s.text == "" || s.variable != (i%2 == 1) {
			panic("resource " + descriptor.GetType() + ": pattern is not collection/{id}/collection/{id}")
		}
	}
	if len(p) < 4 || len(p)%2 == 1 {
		panic("resource " + descriptor.GetType() + ": pattern has no parent or no id")
	}
	return p
}

func (p pattern) parent() pattern    { return p[:len(p)-2] }
func (p pattern) collection() string { return p[len(p)-2].text }

func (p pattern) String() string {
	segments := make([]string, len(p))
	for i, s := range p {
		segments[i] = s.text
		if s.variable {
			segments[i] = "{" + s.text + "}"
		}
	}
	return strings.Join(segments, "/")
}

// parse returns the ids of a name, in order; ok is false when it has another shape.
func (p pattern) parse(name string) (ids []string, ok bool) {
	ids = make([]string, 0, len(p)/2)
	rest, more := name, true
	for _, s := range p {
		if !more {
			return nil, false
		}
		var text string
		text, rest, more = strings.Cut(rest, "/")
		switch {
		case !s.variable && text != s.text, text == "", strings.IndexByte(text, 0) >= 0:
			return nil, false
		case s.variable:
			ids = append(ids, text)
		}
	}
	return ids, !more
}

// Name is the full name of the resource with this id under parent.
func (k *Kind[M]) Name(parent, id string) string {
	return parent + "/" + k.pattern.collection() + "/" + id
}

// Parse takes a name apart: its ids in the order of the pattern, the
// workspace first and the resource's own last.
func (k *Kind[M]) Parse(name string) (ids []string, err error) {
	ids, ok := k.pattern.parse(name)
	for _, id := range ids {
		ok = ok && id != wildcard
	}
	if !ok {
		return nil, fault.Invalid(ReasonInvalidName,
			"%q names no %s; its name is %s", clip(name), k.noun, k.pattern).
			Field("name", "must match "+k.pattern.String())
	}
	return ids, nil
}

// parentOf cuts a name that Parse accepted.
func parentOf(name string) string {
	name = name[:strings.LastIndexByte(name, '/')]
	return name[:strings.LastIndexByte(name, '/')]
}

// workspaceOf is the first two segments of a name: the scope of request ids.
func workspaceOf(name string) string {
	first := strings.IndexByte(name, '/')
	if first < 0 {
		return name
	}
	if second := strings.IndexByte(name[first+1:], '/'); second >= 0 {
		return name[:first+1+second]
	}
	return name
}

// checkParent accepts the name of one parent for a Create. Whether it exists
// is for Spec.Parent to say; a workspace is no record, so there its id is checked here.
func (k *Kind[M]) checkParent(parent string) error {
	ids, ok := k.pattern.parent().parse(parent)
	for _, id := range ids {
		ok = ok && id != wildcard && (k.spec.Parent != nil || resourceid.ValidateUserSettable(id) == nil)
	}
	if !ok {
		return k.invalidParent(parent, "must match "+k.pattern.parent().String())
	}
	return nil
}

// below accepts the parent of a List and returns what all names in that list
// begin with. A wildcard reads all parents at and below its place; it may stand for any id but the workspace's, which is
// the boundary of every grant, and an id after it would be ignored, so it is refused.
func (k *Kind[M]) below(parent string) (prefix string, err error) {
	across := false
	ids, ok := k.pattern.parent().parse(parent)
	if !ok {
		return "", k.invalidParent(parent, "must match "+k.pattern.parent().String())
	}
	for i, id := range ids {
		switch {
		case across && id != wildcard:
			return "", k.invalidParent(parent, "only wildcards may follow a wildcard")
		case id == wildcard && i == 0:
			return "", k.invalidParent(parent, "name one workspace")
		case id == wildcard:
			across = true
		}
	}
	if across {
		return parent[:strings.Index(parent, "/"+wildcard)+1], nil
	}
	return k.Name(parent, ""), nil
}

func (k *Kind[M]) invalidParent(parent, why string) error {
	return fault.Invalid(ReasonInvalidParent,
		"parent %q cannot hold what was asked for: %s; correct it and send the request again", clip(parent), why).Field("parent", why)
}

// checkID holds what a client chose against AIP-122, or the kind's own rule.
func (k *Kind[M]) checkID(id string) error {
	rule := k.spec.ID
	if rule == nil {
		rule = resourceid.ValidateUserSettable
	}
	err := rule(id)
	if err == nil && strings.ContainsAny(id, "/") || id == wildcard {
		return fault.Invalid(ReasonInvalidID, "%s_id %q is no segment of a name; choose another id", k.field, clip(id)).
			Field(k.field+"_id", "must be one segment of a name")
	}
	if err != nil {
		return fault.Invalid(ReasonInvalidID, "%s_id %q cannot be used: %v; choose another id", k.field, clip(id), err).
			Field(k.field+"_id", err.Error())
	}
	return nil
}

// newID makes an id for a client that chose none: a letter, and 75 random bits.
func (k *Kind[M]) newID() string {
	return k.noun[:1] + strings.ToLower(rand.Text()[:15])
}

// Required answers whether the resource exists, with a NotFound fault when it
// does not. In a transaction it also keeps the row from being deleted until
// the commit, so that nothing is created under a parent that goes away.
func (k *Kind[M]) Required(ctx context.Context, q sqldb.Queryer, name string) error {
	text := k.sql.exists
	if tx, ok := q.(*sqldb.Tx); ok && tx.Dialect() == sqldb.Postgres {
		text += " FOR KEY SHARE"
	}
	var one int
	err := q.QueryRowContext(ctx, text, name).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return k.NotFound(name)
	}
	return err
}

// RequiredLater is [Kind.Required] whose answer comes with the next statement
// or the commit, which saves PostgreSQL a round trip. It fits [Spec.Parent].
func (k *Kind[M]) RequiredLater(ctx context.Context, q sqldb.Queryer, name string) error {
	tx, ok := q.(*sqldb.Tx)
	if !ok || tx.Dialect() != sqldb.Postgres {
		return k.Required(ctx, q, name)
	}
	missing := func(err error) error {
		if sqldb.IsDivisionByZero(err) {
			return k.NotFound(name)
		}
		return fmt.Errorf("look for %s: %w", name, err)
	}
	// Without a row it divides by zero: an answer that nobody reads can only fail.
	return tx.Queue(ctx, missing, "SELECT 1 / COALESCE(("+k.sql.exists+" FOR KEY SHARE), 0)", name)
}

// clip keeps what a client sent short in what is sent back.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
