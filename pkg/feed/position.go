package feed

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
)

// position is the place of an event in the log; on SQLite xid is always 0.
type position struct{ xid, seq int64 }

func (p position) compare(other position) int {
	return cmp.Or(cmp.Compare(p.xid, other.xid), cmp.Compare(p.seq, other.seq))
}

// token writes v1:<epoch>:<xid>:<seq>.
func (p position) token(epoch string) string {
	return "v1:" + epoch + ":" + strconv.FormatInt(p.xid, 10) + ":" + strconv.FormatInt(p.seq, 10)
}

// parse reads a token of this epoch whose place this database has seen.
func (l *Log) parse(ctx context.Context, token string) (position, error) {
	epoch, err := l.currentEpoch(ctx)
	if err != nil {
		return position{}, err
	}
	place, of, ok := split(token)
	if !ok || of != epoch {
		return position{}, invalid()
	}
	beyond := true
	if err := l.db.Read().QueryRowContext(ctx, l.sql.beyond, place.xid, place.seq).Scan(&beyond); err != nil {
		return position{}, fmt.Errorf("check resume token: %w", err)
	}
	if beyond {
		return position{}, invalid()
	}
	return place, nil
}

// Reached tells whether the place of one token is at or before that of another of the same log: the event of the one
// will not come from a watch that began at the other. False where one is no token, or they are of two epochs.
func Reached(token, start string) bool {
	a, of, ok := split(token)
	b, epoch, both := split(start)
	return ok && both && of == epoch && a.compare(b) <= 0
}

// split reads a token and the epoch that it names.
func split(token string) (place position, epoch string, ok bool) {
	parts := strings.Split(token, ":")
	if len(parts) != 4 || parts[0] != "v1" {
		return position{}, "", false
	}
	xid, err := strconv.ParseUint(parts[2], 10, 63)
	if err != nil {
		return position{}, "", false
	}
	seq, err := strconv.ParseUint(parts[3], 10, 63)
	if err != nil {
		return position{}, "", false
	}
	return position{xid: int64(xid), seq: int64(seq)}, parts[1], true
}

func invalid() error {
	return fault.Invalid("RESUME_TOKEN_INVALID",
		"the resume token is not one of this event log, which may have been restored from a backup; read the current state and watch without a token").
		Field("resume_token", "is not of this log")
}

// pageToken binds a place to the query it belongs to.
func (q Query) pageToken(place position, epoch string) string {
	return place.token(epoch) + ":" + q.digest()
}

// page reads a page token; the place is where the page before ended.
func (l *Log) page(ctx context.Context, q Query) (position, error) {
	token, digest, _ := cutLast(q.After, ":")
	if digest != q.digest() {
		return position{}, fault.Invalid("PAGE_TOKEN_MISMATCH",
			"the page token belongs to another request; repeat parent, types, actor and order as they were, or begin without a token").
			Field("page_token", "does not belong to this request")
	}
	return l.parse(ctx, token)
}

func (q Query) digest() string {
	sum := fnv.New64a()
	_, _ = fmt.Fprintf(sum, "%q %q %q %t", q.Prefix, q.Types, q.Actor, q.OldestFirst) // a hash never fails to write
	return hex.EncodeToString(sum.Sum(nil))
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}
