package agent_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

func TestWhatWasSeenBeforeASwitchIsTold(t *testing.T) {
	w := setup(t)
	pace := func(summaries time.Duration) {
		w.mu.Lock()
		defer w.mu.Unlock()
		require.NoError(t, w.stream.Send(&agentv1.ConnectResponse{Message: &agentv1.ConnectResponse_Welcome{Welcome: &agentv1.Welcome{
			HeartbeatInterval: durationpb.New(50 * time.Millisecond), SummaryInterval: durationpb.New(summaries), Targets: w.targets, ProtocolVersion: 1,
		}}}))
	}
	w.until("beats", func() bool { return w.beats > 2 })
	pace(time.Hour) // nobody asks before the switch
	v1 := w.workload("1.0.0", "")
	first := w.up(1, v1, nil)
	w.up(2, w.workload("2.0.0", ""), v1)
	pace(50 * time.Millisecond)
	w.until("what was seen of the first", func() bool {
		for _, s := range w.summaries {
			if s.GetInstallation() == first.GetInstallation() {
				return s.GetSucceeded() > 0
			}
		}
		return false
	})
}
