package resource

import (
	"context"
	"strings"
	"time"
	"unicode"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// Spec says what a message does not say about itself: how it is stored and what its rules are.
type Spec[M proto.Message] struct {
	// Table holds the rows; [Kind.DDL] prints what its migration must create.
	Table string
	// Columns are what SQL can see beside the fixed columns. name, create_time
	// and update_time are there already, for filter and order_by too.
	Columns []Column[M]
	// Parent answers an error when the parent of a new resource does not exist;
	// nil where the parent is a workspace. Usually Parents.RequiredLater, whose
	// answer may come as late as with the commit.
	Parent func(ctx context.Context, q sqldb.Queryer, parent string) error
	// ID is the rule of the ids that clients choose; nil for AIP-122's.
	ID func(id string) error
	// Terminal says that a state is final. What is stored as terminal is never
	// saved again; the guard is in the UPDATE itself.
	Terminal func(M) bool
	// Hooks add what is special.
	Hooks Hooks[M]
}

// Hooks run inside the write transaction, each may be nil. They may run more
// than once, so they change nothing but the database and the message they are given.
type Hooks[M proto.Message] struct {
	// Default fills what the client of a Create left out.
	Default func(ctx context.Context, tx *sqldb.Tx, m M) error
	// Validate refuses a Create (old is nil) or an Update, and may set output fields of m.
	Validate func(ctx context.Context, tx *sqldb.Tx, old, m M) error
	// AfterWrite follows a Create (old is nil) or an Update that changed something: side rows, wakes.
	AfterWrite func(ctx context.Context, tx *sqldb.Tx, old, m M) error
	// BeforeDelete refuses a Delete, or removes what goes with the resource.
	BeforeDelete func(ctx context.Context, tx *sqldb.Tx, old M) error
}

// Kind is a resource type with everything found out about it that can be found
// out before the first request. It is immutable and safe for concurrent use.
type Kind[M proto.Message] struct {
	spec     Spec[M]
	table    string
	desc     protoreflect.MessageDescriptor
	typ      protoreflect.MessageType
	noun     string // as events say it: deploymentPlan
	field    string // as requests say it: deployment_plan
	service  string // as events say it: deployment
	pattern  pattern
	behavior *behavior
	managed  managed
	columns  []column[M] // declared ones
	sets     []set
	visible  map[string]visible // what filter and order_by know, by path
	sql      texts
}

// Define makes a kind of a spec. It panics on a programmer's mistake, so call
// it where a program starts: in a package variable or a constructor.
func Define[M proto.Message](spec Spec[M]) *Kind[M] {
	var zero M
	desc := zero.ProtoReflect().Descriptor()
	annotation, _ := proto.GetExtension(desc.Options(), annotations.E_Resource).(*annotations.ResourceDescriptor)
	if annotation.GetSingular() == "" {
		panic(string(desc.FullName()) + " has no google.api.resource with a singular")
	}
	if !sqlName.MatchString(spec.Table) {
		panic("table " + spec.Table + " is no plain SQL name")
	}
	k := &Kind[M]{
		spec:     spec,
		table:    spec.Table,
		desc:     desc,
		typ:      zero.ProtoReflect().Type(),
		noun:     annotation.GetSingular(),
		field:    snake(annotation.GetSingular()),
		service:  serviceOf(desc.ParentFile().Package()),
		pattern:  mustPattern(annotation),
		behavior: behaviorOf(desc, map[protoreflect.FullName]*behavior{}),
		managed:  mustManaged(desc),
	}
	for _, c := range spec.Columns {
		k.mustColumn(c)
	}
	k.visible = k.visibleColumns()
	k.sql = k.texts()
	return k
}

// serviceOf is the part of golive.deployment.v1 that events are named after: deployment.
func serviceOf(pkg protoreflect.FullName) string {
	parts := strings.Split(string(pkg), ".")
	if len(parts) < 3 {
		return string(pkg)
	}
	return strings.Join(parts[1:len(parts)-1], ".")
}

func snake(camel string) string {
	var b strings.Builder
	for _, r := range camel {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func (k *Kind[M]) newMessage() M { return k.typ.New().Interface().(M) } //nolint:errcheck // it is M's own type

// managed are the fields that this package sets, nil where the message has none.
type managed struct {
	name, uid, etag, revision, createTime, updateTime protoreflect.FieldDescriptor
}

func mustManaged(md protoreflect.MessageDescriptor) managed {
	find := func(name protoreflect.Name, kind protoreflect.Kind) protoreflect.FieldDescriptor {
		fd := md.Fields().ByName(name)
		if fd != nil && (fd.Kind() != kind || fd.Cardinality() == protoreflect.Repeated) {
			panic("field " + string(fd.FullName()) + " is no " + kind.String())
		}
		return fd
	}
	m := managed{
		name:       find("name", protoreflect.StringKind),
		uid:        find("uid", protoreflect.StringKind),
		etag:       find("etag", protoreflect.StringKind),
		revision:   find("revision", protoreflect.Int64Kind),
		createTime: find("create_time", protoreflect.MessageKind),
		updateTime: find("update_time", protoreflect.MessageKind),
	}
	if m.name == nil {
		panic(string(md.FullName()) + " has no field name")
	}
	return m
}

// clear removes what the server sets, less the name.
func (f managed) clear(m protoreflect.Message) {
	for _, fd := range []protoreflect.FieldDescriptor{f.uid, f.etag, f.revision, f.createTime, f.updateTime} {
		if fd != nil {
			m.Clear(fd)
		}
	}
}

// carry gives m what stays the same from one revision to the next.
func (f managed) carry(m, old protoreflect.Message) {
	for _, fd := range []protoreflect.FieldDescriptor{f.name, f.uid, f.createTime} {
		if fd != nil && old.Has(fd) {
			m.Set(fd, old.Get(fd))
		}
	}
}

func text(m protoreflect.Message, fd protoreflect.FieldDescriptor) string {
	if fd == nil {
		return ""
	}
	return m.Get(fd).String()
}

func setText(m protoreflect.Message, fd protoreflect.FieldDescriptor, s string) {
	if fd != nil {
		m.Set(fd, protoreflect.ValueOfString(s))
	}
}

func setTime(m protoreflect.Message, fd protoreflect.FieldDescriptor, t time.Time) {
	if fd != nil {
		m.Set(fd, protoreflect.ValueOfMessage(timestamppb.New(t).ProtoReflect()))
	}
}

func (k *Kind[M]) nameOf(m M) string { return text(m.ProtoReflect(), k.managed.name) }
