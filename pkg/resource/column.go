package resource

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// Column is one value of the message that SQL can see: what List may filter
// and order by, what [Kind.Select] and unique indexes may name. It is never
// written by hand, only derived from the message.
//
// Either Field names a field of the message by its path, "version" or
// "artifact.os": its type follows from the field's and its SQL name is the path
// with underscores. Or Name names a computed column, and one of Text, Int, Bool and Time computes it.
//
// A field that is a map of strings or a list of strings becomes rows of the
// side table resource_sets instead, for the filters `labels.env = "prod"`,
// `labels:env` and `cohorts:pilot`.
type Column[M proto.Message] struct {
	Field string
	Name  string
	Text  func(M) string
	Int   func(M) int64
	Bool  func(M) bool
	Time  func(M) time.Time
	// Internal hides the column from filter and order_by.
	Internal bool
}

type columnType int

const (
	typeText columnType = iota + 1
	typeInt
	typeBool
	typeEnum
	typeTime // unix microseconds; 0 where it is not set, so 1970 began with nothing
)

// column is a Column resolved: its SQL name, and the value that SQL gets.
type column[M proto.Message] struct {
	name     string // in SQL
	path     string // in filter and order_by
	typ      columnType
	enum     protoreflect.EnumDescriptor
	value    func(M) any
	internal bool
}

// set is a map or list of strings, kept in the side table.
type set struct {
	path  string
	field []protoreflect.FieldDescriptor
	isMap bool
}

// sqlName is what a table or a column may be called, so that names go into SQL text as they are.
var sqlName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (k *Kind[M]) mustColumn(c Column[M]) {
	out := column[M]{name: c.Name, path: c.Name, internal: c.Internal}
	switch {
	case c.Field != "":
		path := mustPath(k.desc, c.Field)
		leaf := path[len(path)-1]
		if leaf.IsMap() || leaf.IsList() {
			k.sets = append(k.sets, mustSet(c.Field, path))
			return
		}
		out.name, out.path = strings.ReplaceAll(c.Field, ".", "_"), c.Field
		out.typ, out.enum = typeOf(leaf), leaf.Enum()
		out.value = func(m M) any { return fieldValue(m.ProtoReflect(), path, out.typ) }
	case c.Text != nil:
		out.typ, out.value = typeText, func(m M) any { return c.Text(m) }
	case c.Int != nil:
		out.typ, out.value = typeInt, func(m M) any { return c.Int(m) }
	case c.Bool != nil:
		out.typ, out.value = typeBool, func(m M) any { return boolInt(c.Bool(m)) }
	case c.Time != nil:
		out.typ, out.value = typeTime, func(m M) any { return micros(c.Time(m)) }
	}
	if out.value == nil || !sqlName.MatchString(out.name) {
		panic(fmt.Sprintf("column %+q of %s needs a Field, or a Name and a function", c.Field+c.Name, k.table))
	}
	k.addColumn(out)
}

func (k *Kind[M]) addColumn(c column[M]) {
	for _, known := range k.columns {
		if known.name == c.name {
			panic("column " + c.name + " of " + k.table + " is there twice")
		}
	}
	k.columns = append(k.columns, c)
}

// mustPath resolves a path through singular messages.
func mustPath(md protoreflect.MessageDescriptor, path string) []protoreflect.FieldDescriptor {
	var fields []protoreflect.FieldDescriptor
	for name := range strings.SplitSeq(path, ".") {
		if md == nil || md.Fields().ByName(protoreflect.Name(name)) == nil {
			panic("no field " + path)
		}
		fd := md.Fields().ByName(protoreflect.Name(name))
		fields = append(fields, fd)
		md = nil
		if single(fd) {
			md = fd.Message()
		}
	}
	return fields
}

func mustSet(name string, path []protoreflect.FieldDescriptor) set {
	leaf := path[len(path)-1]
	element := leaf.Kind()
	if leaf.IsMap() {
		element = leaf.MapValue().Kind()
	}
	if element != protoreflect.StringKind || leaf.IsMap() && leaf.MapKey().Kind() != protoreflect.StringKind {
		panic("field " + name + " holds something other than strings")
	}
	return set{path: name, field: path, isMap: leaf.IsMap()}
}

func typeOf(fd protoreflect.FieldDescriptor) columnType {
	switch fd.Kind() {
	case protoreflect.StringKind:
		return typeText
	case protoreflect.BoolKind:
		return typeBool
	case protoreflect.EnumKind:
		return typeEnum
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind,
		protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return typeInt
	case protoreflect.MessageKind:
		if fd.Message().FullName() == "google.protobuf.Timestamp" {
			return typeTime
		}
	default:
	}
	panic("field " + string(fd.FullName()) + " has a type that no column has; compute one")
}

// follow walks to the message that holds the last field of path.
func follow(m protoreflect.Message, path []protoreflect.FieldDescriptor) (protoreflect.Message, protoreflect.FieldDescriptor) {
	for _, fd := range path[:len(path)-1] {
		m = m.Get(fd).Message() // an unset message reads as an empty one
	}
	return m, path[len(path)-1]
}

func fieldValue(m protoreflect.Message, path []protoreflect.FieldDescriptor, typ columnType) any {
	m, leaf := follow(m, path)
	switch v := m.Get(leaf); typ {
	case typeText:
		return v.String()
	case typeBool:
		return boolInt(v.Bool())
	case typeEnum:
		return int64(v.Enum())
	case typeTime:
		if !m.Has(leaf) {
			return int64(0)
		}
		fields := leaf.Message().Fields()
		return micros(time.Unix(v.Message().Get(fields.ByNumber(1)).Int(), v.Message().Get(fields.ByNumber(2)).Int()))
	default:
		return v.Int()
	}
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (t columnType) sql(d sqldb.Dialect) string {
	switch {
	case t == typeText && d == sqldb.Postgres:
		return `TEXT COLLATE "C"` // byte order, as SQLite has it
	case t == typeText:
		return "TEXT"
	case t == typeBool && d == sqldb.Postgres:
		return "SMALLINT"
	case t == typeBool:
		return "INTEGER"
	default:
		return "BIGINT"
	}
}
