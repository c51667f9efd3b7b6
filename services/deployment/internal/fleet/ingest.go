package fleet

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/run"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

const (
	ingestBytes  = 64 << 20 // of output that waits for the database
	ingestBatch  = 500
	ingestLinger = 100 * time.Millisecond
	purgeEvery   = time.Hour
)

// ingest holds what may be lost on its way into the metrics database. When that
// does not keep up, what comes next is dropped and counted.
type ingest struct {
	queue chan ingested
	bytes atomic.Int64
}

type ingested struct {
	session *session
	probe   *agentv1.ProbeSummary
	log     *agentv1.LogChunk
	size    int64
}

func newIngest() *ingest { return &ingest{queue: make(chan ingested, 4096)} }

func (i *ingest) probe(s *session, p *agentv1.ProbeSummary, m *instruments) {
	i.put(ingested{session: s, probe: p}, m)
}

func (i *ingest) log(s *session, chunk *agentv1.LogChunk, m *instruments) {
	i.put(ingested{session: s, log: chunk, size: int64(proto.Size(chunk))}, m)
}

func (i *ingest) put(one ingested, m *instruments) {
	if i.bytes.Add(one.size) <= ingestBytes {
		select {
		case i.queue <- one:
			return
		default:
		}
	}
	i.bytes.Add(-one.size)
	m.dropped.Inc()
}

func (one ingested) installation() string {
	if one.log != nil {
		return one.log.GetInstallation()
	}
	return one.probe.GetInstallation()
}

// storeIngested writes output and probe summaries, in batches.
func (h *Hub) storeIngested(ctx context.Context) error {
	tick := time.NewTicker(ingestLinger)
	defer tick.Stop()
	var waiting []ingested
	for {
		select {
		case <-ctx.Done():
			h.storeBatch(context.WithoutCancel(ctx), waiting)
			return nil
		case one := <-h.ingested.queue:
			if waiting = append(waiting, one); len(waiting) < ingestBatch {
				continue
			}
		case <-tick.C:
		}
		h.storeBatch(ctx, waiting)
		clear(waiting)
		waiting = waiting[:0]
	}
}

func (h *Hub) storeBatch(ctx context.Context, batch []ingested) {
	if len(batch) == 0 {
		return
	}
	claims := make([]claim, len(batch))
	for i, one := range batch {
		h.ingested.bytes.Add(-one.size)
		claims[i] = claim{one.session, one.installation()}
	}
	ok, err := h.own(ctx, claims)
	var logs []*agentv1.LogChunk
	var probes []*agentv1.ProbeSummary
	var names []string
	for i := range ok {
		switch one := batch[i]; {
		case !ok[i]:
		case one.log != nil:
			logs = append(logs, one.log)
			names = append(names, one.log.GetInstallation())
		default:
			probes = append(probes, one.probe)
		}
	}
	if err == nil && len(logs) > 0 {
		if err = h.cfg.Store.AppendLogs(ctx, logs); err == nil {
			slices.Sort(names)
			h.cfg.LogsArrived(slices.Compact(names))
		}
	}
	if err == nil && len(probes) > 0 {
		err = h.cfg.Store.AppendProbes(ctx, probes)
	}
	if err != nil && ctx.Err() == nil {
		h.metrics.dropped.Add(float64(len(batch)))
		h.logger.Error("output and probe summaries lost", zap.Int("messages", len(batch)), zap.Error(err))
	}
}

// retain forgets what is older than the retention, and uploads that nobody finished.
func (h *Hub) retain(ctx context.Context) error {
	run.Every(ctx, purgeEvery, func(ctx context.Context) {
		err := h.cfg.Store.PurgeMetrics(ctx, time.Now().Add(-h.cfg.Retention).UnixMicro())
		if err == nil {
			err = h.cfg.Blobs.Sweep(ctx)
		}
		if err != nil && ctx.Err() == nil {
			h.logger.Error("old output not removed; trying again in an hour", zap.Error(err))
		}
	})
	return nil
}
