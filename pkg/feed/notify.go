package feed

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"
)

// debounce is the least time between two notifications: NOTIFY takes a lock
// that all commits of the database share.
const debounce = 5 * time.Millisecond

// channel is per schema: two services may share a database.
func (l *Log) channel() string {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(l.db.Schema())) // a hash never fails to write
	return fmt.Sprintf("golive_events_%x", sum.Sum64())
}

// notify tells the other processes that events were committed here.
func (l *Log) notify(ctx context.Context) {
	timer := time.NewTimer(debounce)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.dirty:
		}
		_, err := l.db.Pgx().Exec(ctx, "SELECT pg_notify($1, $2)", l.channel(), l.self)
		if err != nil && ctx.Err() == nil {
			l.cfg.Logger.Warn("other servers were not told of new events; they poll", zap.Error(err))
		}
		if !pause(ctx, timer, debounce, nil) {
			return
		}
	}
}

// listen turns notifications of others into hints, on a connection of its own.
func (l *Log) listen(ctx context.Context) {
	timer := time.NewTimer(l.cfg.Poll)
	defer timer.Stop()
	for {
		err := l.listenOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		l.cfg.Logger.Warn("not told of new events; polling until it works again", zap.Error(err))
		if !pause(ctx, timer, l.cfg.Poll, nil) {
			return
		}
	}
}

func (l *Log) listenOnce(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, l.db.Pgx().Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // nothing is left to lose on it
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{l.channel()}.Sanitize()); err != nil {
		return err
	}
	hint(l.hinted) // what was told before we listened
	for {
		told, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if told.Payload != l.self {
			hint(l.hinted)
		}
	}
}
