package feed

import "github.com/golive-dev/golive/pkg/sqldb"

// statements is what differs between the databases: the place of an event.
type statements struct {
	columns    string // xid, seq, whether below the horizon, then what both share
	after      string // later than the place ($1, $2)
	before     string // earlier than the place ($1, $2)
	oldest     string // order
	newest     string
	end        string // the place of the last event below the horizon
	beyond     string // whether the place ($1, $2) lies in a future this database has not seen
	transplant string // whether events come from another server's transactions; empty when that cannot be
}

const shared = "resource, type, revision, actor, cause, at, after, before_digest"

func statementsFor(dialect sqldb.Dialect) statements {
	if dialect == sqldb.SQLite {
		return statements{
			columns: "0, seq, 1, " + shared,
			after:   "$1 = 0 AND seq > $2",
			before:  "$1 = 0 AND seq < $2",
			oldest:  "seq",
			newest:  "seq DESC",
			end:     "SELECT 0, COALESCE(MAX(seq), 0) FROM events",
			beyond:  "SELECT $1 > 0 OR $2 > COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'events'",
		}
	}
	const horizon = "(SELECT pg_snapshot_xmin(pg_current_snapshot()))"
	return statements{
		columns: "xid::text::bigint, seq, CASE WHEN xid < " + horizon + " THEN 1 ELSE 0 END, " + shared,
		after:   "(xid, seq) > ($1::bigint::text::xid8, $2::bigint)",
		before:  "(xid, seq) < ($1::bigint::text::xid8, $2::bigint)",
		oldest:  "xid, seq",
		newest:  "xid DESC, seq DESC",
		end: "SELECT xid::text::bigint, seq FROM events WHERE xid < " + horizon +
			" UNION ALL SELECT 0, 0 ORDER BY 1 DESC, 2 DESC LIMIT 1",
		beyond:     "SELECT $1::bigint::text::xid8 >= pg_snapshot_xmax(pg_current_snapshot()) AND $2::bigint >= 0",
		transplant: "SELECT EXISTS (SELECT 1 FROM events WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))",
	}
}
