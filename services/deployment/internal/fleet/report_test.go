package fleet_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/api"
	"github.com/golive-dev/golive/services/deployment/internal/fleet"
)

func TestReportsAreAcknowledgedOnceTheyAreDurable(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		target := b.target("web-1")
		c := b.enrolled(s, "host-1", target).connected(s, "boot-0001")
		installation := b.installation(target)

		broken := errors.New("database gone")
		var tries atomic.Int32
		b.work.with(func() {
			b.work.fail = func([]*agentv1.Report) error {
				tries.Add(1)
				return broken
			}
		})
		for i := range int64(10) {
			c.report(i+1, installation)
		}
		require.Eventually(t, func() bool { return tries.Load() > 2 }, soon, often, "it is tried again")
		require.Empty(t, c.acked())
		require.Empty(t, b.work.sequences())
		b.work.with(func() { b.work.fail, b.work.hang = nil, true })
		c.report(11, installation)
		require.Never(t, func() bool { return len(c.acked()) > 0 }, 500*time.Millisecond, 20*time.Millisecond)
		b.work.with(func() { b.work.hang = false })
		require.Eventually(t, func() bool { return len(c.acked()) == 11 }, soon, often)
		want := []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
		require.Equal(t, want, b.work.sequences(), "in the order they were sent")
		require.Equal(t, want, c.acked())
	})
}

func TestReportsOfManyAgentsShareATransaction(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve(func(c *fleet.Config) { c.Heartbeat = 5 * time.Second })
		const agents, each = 10, 100
		streams := make([]*stream, agents)
		installations := make([]string, agents)
		for i := range agents {
			id := string(rune('a' + i))
			target := b.target(id)
			installations[i] = b.installation(target)
			streams[i] = b.enrolled(s, "host-"+id, target).connected(s, "boot-0001")
		}
		var group sync.WaitGroup
		for i, c := range streams {
			group.Go(func() {
				for n := range int64(each) {
					c.report(int64(i)*1000+n, installations[i])
				}
			})
		}
		group.Wait()
		require.Eventually(t, func() bool { return len(b.work.sequences()) == agents*each }, soon, often)
		last := map[int64]int64{}
		for _, sequence := range b.work.sequences() {
			agent := sequence / 1000
			require.Equal(t, last[agent], sequence%1000, "each agent's in order, each once")
			last[agent]++
		}
		b.work.with(func() {
			require.Less(t, len(b.work.batches), agents*each/3, "batched")
			for _, batch := range b.work.batches {
				require.LessOrEqual(t, len(batch), 200)
			}
		})
	})
}

func TestAReportThatCannotBeAppliedHoldsUpItsOwnAgentOnly(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		s := b.serve()
		one, two := b.target("web-1"), b.target("web-2")
		first, second := b.enrolled(s, "host-1", one).connected(s, "boot-0001"), b.enrolled(s, "host-2", two).connected(s, "boot-0002")
		i1, i2 := b.installation(one), b.installation(two)
		b.work.with(func() {
			b.work.fail = func(reports []*agentv1.Report) error {
				if slices.ContainsFunc(reports, func(r *agentv1.Report) bool { return r.GetSequence() == 3 }) {
					return errors.New("poison")
				}
				return nil
			}
		})
		for n := range int64(5) {
			first.report(n+1, i1)
			second.report(n+101, i2)
		}
		require.Eventually(t, func() bool { return len(second.acked()) == 5 && len(first.acked()) == 2 }, soon, often)
		b.work.with(func() { b.work.fail = nil })
		require.Eventually(t, func() bool { return len(first.acked()) == 5 }, soon, often)
	})
}

func TestWhatAnAgentSaysOfOthersIsDropped(t *testing.T) {
	each(t, func(t *testing.T, b *bundle) {
		logs := api.NewLogs(b.store)
		s := b.serve(func(c *fleet.Config) { c.LogsArrived = logs.Arrived })
		one, two := b.target("web-1"), b.target("web-2")
		first := b.enrolled(s, "host-1", one).connected(s, "boot-0001")
		mine, foreign := b.installation(one), b.installation(two)

		lines := make(chan string, 10)
		followed := make(chan error, 1)
		go func() {
			followed <- logs.Read(t.Context(), mine, 0, true, func(all []*deploymentv1.LogLine) error {
				for _, line := range all {
					lines <- line.GetText()
				}
				return nil
			})
		}()
		now := timestamppb.Now()
		for _, installation := range []string{foreign, mine, "workspaces/default/applications/a/deployments/d/installations/none"} {
			require.NoError(t, first.send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Log{Log: &agentv1.LogChunk{
				Installation: installation, Attempt: 1, Lines: []*deploymentv1.LogLine{{Source: "app stdout", Text: "hello", Time: now}},
			}}}))
			require.NoError(t, first.send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_ProbeSummary{ProbeSummary: &agentv1.ProbeSummary{
				Installation: installation, StartTime: now, EndTime: now, Succeeded: 7,
			}}}))
		}
		first.report(1, foreign)
		first.report(2, mine)
		require.Eventually(t, func() bool { return len(first.acked()) == 2 }, soon, often, "dropped is done, or it would come for ever")
		require.Equal(t, []int64{2}, b.work.sequences())
		select {
		case line := <-lines:
			require.Equal(t, "hello", line)
		case <-time.After(soon):
			require.FailNow(t, "nothing to follow")
		}
		require.Eventually(t, func() bool {
			probes, err := b.store.ReadProbes(t.Context(), mine, now.AsTime().Add(-time.Minute), now.AsTime().Add(time.Minute))
			return err == nil && len(probes) == 1
		}, soon, often)
		probes, err := b.store.ReadProbes(t.Context(), foreign, now.AsTime().Add(-time.Minute), now.AsTime().Add(time.Minute))
		require.NoError(t, err)
		require.Empty(t, probes)
		page, err := b.store.ReadLogs(t.Context(), foreign, 1, 0)
		require.NoError(t, err)
		require.Empty(t, page.Lines)
	})
}
