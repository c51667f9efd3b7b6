package resource

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// member is one row of resource_sets beside the resource's name: an entry of a
// map, or an element of a list under the empty key.
type member struct{ field, key, value string }

// members are all rows that m has in the side table, each once, in order.
func (k *Kind[M]) members(m M) []member {
	found := map[member]bool{}
	for _, s := range k.sets {
		holder, leaf := follow(m.ProtoReflect(), s.field)
		value := holder.Get(leaf)
		if s.isMap {
			value.Map().Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
				found[member{s.path, key.String(), v.String()}] = true
				return true
			})
			continue
		}
		for i := range value.List().Len() {
			found[member{s.path, "", value.List().Get(i).String()}] = true
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b member) int {
		return strings.Compare(a.field+"\x00"+a.key+"\x00"+a.value, b.field+"\x00"+b.key+"\x00"+b.value)
	})
}

// insertSets writes all members in few statements.
func (k *Kind[M]) insertSets(ctx context.Context, tx *sqldb.Tx, name string, m M) error {
	const most = 200 // four placeholders each
	refused := func(err error) error { return fmt.Errorf("store sets of %s: %w", name, err) }
	for chunk := range slices.Chunk(k.members(m), most) {
		args := make([]any, 0, 4*len(chunk))
		for _, one := range chunk {
			args = append(args, name, one.field, one.key, one.value)
		}
		err := tx.Queue(ctx, refused, "INSERT INTO resource_sets (name, field, key, value) VALUES "+sqldb.Tuples(len(chunk), 4), args...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (k *Kind[M]) removeSets(ctx context.Context, tx *sqldb.Tx, name string) error {
	refused := func(err error) error { return fmt.Errorf("remove sets of %s: %w", name, err) }
	return tx.Queue(ctx, refused, "DELETE FROM resource_sets WHERE name = $1", name)
}
