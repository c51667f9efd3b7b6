package resource

import (
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/golive-dev/golive/pkg/fault"
)

// step is one segment of an update mask's path: a field, or a key of the map before it.
type step struct {
	field protoreflect.FieldDescriptor
	key   protoreflect.MapKey // set instead of a field
}

// parseMask resolves every path against the message, or refuses all. No paths
// and `*` are not paths: the callers know them.
func parseMask(md protoreflect.MessageDescriptor, paths []string) ([][]step, error) {
	if len(paths) == 0 || len(paths) == 1 && paths[0] == "*" {
		return nil, nil
	}
	parsed := make([][]step, 0, len(paths))
	for _, path := range paths {
		steps, why := parsePath(md, path)
		if why != "" {
			return nil, fault.Invalid(ReasonUnknownField,
				"update_mask names %q, which %s; correct the path and send it again", clip(path), why).
				Field("update_mask", clip(path)+" "+why)
		}
		parsed = append(parsed, steps)
	}
	return parsed, nil
}

func parsePath(md protoreflect.MessageDescriptor, path string) (steps []step, why string) {
	if path == "*" {
		return nil, "stands alone or not at all"
	}
	for path != "" || steps == nil {
		var name string
		name, path, _ = strings.Cut(path, ".")
		if md == nil {
			return nil, "goes into a field that has no fields"
		}
		fd := md.Fields().ByName(protoreflect.Name(name))
		if fd == nil {
			return nil, "is no field of " + string(md.Name())
		}
		steps = append(steps, step{field: fd})
		md = nil
		switch {
		case fd.IsList():
			if path != "" {
				return nil, "goes into a list; name the list to replace it"
			}
		case fd.IsMap():
			if path == "" {
				break
			}
			if fd.MapKey().Kind() != protoreflect.StringKind {
				return nil, "goes into a map whose keys are not strings"
			}
			// A key may have dots of its own, so it is all that remains.
			key := strings.Trim(path, "`")
			return append(steps, step{key: protoreflect.ValueOfString(key).MapKey()}), ""
		default:
			md = fd.Message()
		}
	}
	return steps, ""
}

// applyMask changes dst to what src says for the paths; without paths, for everything that is set in src.
func applyMask(dst, src protoreflect.Message, paths []string, parsed [][]step) {
	switch {
	case len(paths) == 0:
		mergeSet(dst, src)
	case parsed == nil: // "*"
		proto.Reset(dst.Interface())
		proto.Merge(dst.Interface(), src.Interface())
	default:
		for _, steps := range parsed {
			setPath(dst, src, steps)
		}
	}
}

// mergeSet replaces lists and maps that src has, where proto.Merge would add to them.
func mergeSet(dst, src protoreflect.Message) {
	src.Range(func(fd protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if single(fd) && dst.Has(fd) {
			mergeSet(dst.Mutable(fd).Message(), value.Message())
		} else {
			dst.Set(fd, value)
		}
		return true
	})
}

func setPath(dst, src protoreflect.Message, steps []step) {
	fd := steps[0].field
	switch {
	case len(steps) == 1 && src.Has(fd):
		dst.Set(fd, src.Get(fd))
	case len(steps) == 1:
		dst.Clear(fd)
	case fd.IsMap():
		setKey(dst, src, fd, steps[1].key)
	case src.Has(fd) || dst.Has(fd): // neither: nothing to set, and nothing to make
		setPath(dst.Mutable(fd).Message(), src.Get(fd).Message(), steps[1:])
	}
}

func setKey(dst, src protoreflect.Message, fd protoreflect.FieldDescriptor, key protoreflect.MapKey) {
	if from := src.Get(fd).Map(); from.Has(key) {
		dst.Mutable(fd).Map().Set(key, from.Get(key))
	} else if dst.Has(fd) {
		dst.Mutable(fd).Map().Clear(key)
	}
}

// sorted are the keys of a map in order, for messages that list what there is.
func sorted[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
