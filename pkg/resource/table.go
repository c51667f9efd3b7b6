package resource

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/golive-dev/golive/pkg/sqldb"
)

// tableColumn is one column of a kind's table.
type tableColumn struct {
	name, typ string
	nullable  bool
}

// tableColumns are all that the statements of the kind name.
func (k *Kind[M]) tableColumns(d sqldb.Dialect) []tableColumn {
	text, data := typeText.sql(d), "BLOB"
	if d == sqldb.Postgres {
		data = "BYTEA"
	}
	all := []tableColumn{
		{name: "name", typ: text},
		{name: "parent", typ: text},
		{name: "uid", typ: text},
		{name: "revision", typ: "BIGINT"},
		{name: "etag", typ: text},
		{name: "create_time", typ: "BIGINT"},
		{name: "update_time", typ: "BIGINT"},
		{name: "digest", typ: data},
		{name: "before_digest", typ: data, nullable: true},
		{name: "message", typ: data},
	}
	if k.spec.Terminal != nil {
		all = append(all, tableColumn{name: "terminal", typ: typeBool.sql(d)})
	}
	for _, c := range k.columns {
		all = append(all, tableColumn{name: c.name, typ: c.typ.sql(d)})
	}
	return all
}

// DDL is what the migration of the kind must create: paste it into one, and
// add the indexes that the service's own queries and rules want. List needs
// none but the primary key, unless it is often ordered by something else. Nothing
// creates tables by itself; [Kind.CheckTable] proves that the migration is right.
func (k *Kind[M]) DDL(d sqldb.Dialect) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\n", k.table)
	for _, c := range k.tableColumns(d) {
		fmt.Fprintf(&b, "    %s %s", c.name, c.typ)
		if !c.nullable {
			b.WriteString(" NOT NULL")
		}
		b.WriteString(",\n")
	}
	b.WriteString("    PRIMARY KEY (name)\n);\n")
	return b.String()
}

// CheckTable compares the migrated table with what the kind expects: every
// column there, with its type, byte order for texts, and the name unique. A
// declared column may be nullable, as one that was added later is until
// [Kind.Backfill] ran. Columns that the kind does not know are fine: old code runs after a migration.
func (k *Kind[M]) CheckTable(ctx context.Context, db *sqldb.DB) error {
	text := `SELECT name, type, pk = 1 FROM pragma_table_info($1)`
	if db.Dialect() == sqldb.Postgres {
		text = `SELECT c.column_name, upper(CASE c.data_type WHEN 'text' THEN 'text collate "' || coalesce(c.collation_name, 'default') || '"' ELSE c.data_type END),
			EXISTS (SELECT 1 FROM information_schema.table_constraints t JOIN information_schema.key_column_usage u
				USING (constraint_schema, constraint_name, table_schema, table_name)
				WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_schema = c.table_schema
				AND t.table_name = c.table_name AND u.column_name = c.column_name)
			FROM information_schema.columns c WHERE c.table_schema = current_schema() AND c.table_name = $1`
	}
	type found struct {
		name, typ string
		key       bool
	}
	rows, err := db.Read().QueryContext(ctx, text, k.table)
	all, err := sqldb.Collect(rows, err, func(rows *sql.Rows) (f found, err error) {
		return f, rows.Scan(&f.name, &f.typ, &f.key)
	})
	if err != nil {
		return fmt.Errorf("read columns of %s: %w", k.table, err)
	}
	types := make(map[string]string, len(all))
	var wrong []error
	for _, f := range all {
		types[f.name] = f.typ
		if f.key != (f.name == "name") {
			wrong = append(wrong, errors.New("the primary key is not (name)"))
		}
	}
	for _, c := range k.tableColumns(db.Dialect()) {
		if got := types[c.name]; !strings.EqualFold(got, c.typ) {
			wrong = append(wrong, fmt.Errorf("column %s is %q, not %s", c.name, got, c.typ))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("table %s is not what its kind expects: %w\nthe kind expects:\n%s",
			k.table, errors.Join(wrong...), k.DDL(db.Dialect()))
	}
	return nil
}
