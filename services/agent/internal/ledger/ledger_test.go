package ledger_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/ledger"
)

var key = ledger.Key{Target: "workspaces/w/environments/e/targets/t", Application: "workspaces/w/applications/a"}

func command(epoch int64, action agentv1.Command_Action) *agentv1.Command {
	return &agentv1.Command{Installation: "i", Target: key.Target, Application: key.Application, Attempt: 1, Epoch: epoch, Action: action}
}

func open(t *testing.T, path string) *ledger.Ledger {
	t.Helper()
	l, _, err := ledger.Open(path, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestTheLedgerIsWhatItsJournalSays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	l := open(t, path)
	s := l.Slot(key)
	require.NoError(t, l.Accept(s, command(7, agentv1.Command_INSTALL)))
	s.Phase, s.Candidate, s.Numbers = ledger.Activating, 1, 1
	s.Instances = map[int]ledger.Instance{1: {SHA256: "abc"}}
	require.NoError(t, l.Put(s, &agentv1.Report{Installation: "i", State: deploymentv1.Installation_ACTIVATING}))
	s.Phase, s.Live, s.Candidate = ledger.Idle, 1, 0
	require.NoError(t, l.Put(s, &agentv1.Report{Installation: "i", State: deploymentv1.Installation_HEALTHY}))
	l.Acknowledge(1)
	l.Acknowledge(99) // never heard of
	require.NoError(t, l.Put(s, nil))
	require.NoError(t, l.Close())

	l = open(t, path)
	again := l.Slot(key)
	require.EqualValues(t, 7, again.Command.GetEpoch())
	require.Equal(t, deploymentv1.Installation_HEALTHY, again.Last.GetState())
	require.Equal(t, 1, again.Live)
	require.Equal(t, "abc", again.Inventory().GetActiveSha256())
	require.False(t, again.Inventory().GetInterrupted())
	pending := l.Pending(0)
	require.Len(t, pending, 1)
	require.EqualValues(t, 2, pending[0].GetSequence())

	require.NoError(t, l.Accept(again, command(8, agentv1.Command_SEAL)))
	require.Nil(t, l.Slot(key).Last, "a new command has no report yet")
	require.NoError(t, l.Put(again, &agentv1.Report{Installation: "i"}))
	require.EqualValues(t, 3, l.Pending(2)[0].GetSequence(), "numbers rise over restarts")
}

func TestCompactionLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	l := open(t, path)
	s := l.Slot(key)
	require.NoError(t, l.Accept(s, command(1, agentv1.Command_INSTALL)))
	long := strings.Repeat("x", 50_000)
	for range 50 {
		require.NoError(t, l.Put(s, &agentv1.Report{Installation: "i", Message: long}))
	}
	for sequence := range int64(49) {
		l.Acknowledge(sequence + 1)
	}
	for range 50 {
		s.Message = long
		require.NoError(t, l.Put(s, nil))
	}
	require.NoError(t, l.Close())
	l = open(t, path)
	require.Len(t, l.Pending(0), 1)
	require.EqualValues(t, 50, l.Pending(0)[0].GetSequence())
	require.EqualValues(t, 50, l.Slot(key).Last.GetSequence())
	l.Acknowledge(50)
	require.NoError(t, l.Put(l.Slot(key), &agentv1.Report{}))
	require.EqualValues(t, 51, l.Pending(0)[0].GetSequence(), "numbers survive even when no report does")
}

func TestOnlyTheEpochOrdersCommands(t *testing.T) {
	t.Parallel()
	newest := command(5, agentv1.Command_INSTALL)
	other := command(5, agentv1.Command_INSTALL)
	other.Installation = "other"
	attempt := command(5, agentv1.Command_INSTALL)
	attempt.Attempt = 2
	for name, test := range map[string]struct {
		arriving *agentv1.Command
		want     ledger.Verdict
	}{
		"the same again":         {command(5, agentv1.Command_INSTALL), ledger.Repeat},
		"older":                  {command(4, agentv1.Command_REVERT), ledger.Stale},
		"newer":                  {command(6, agentv1.Command_CANCEL), ledger.Accept},
		"another, same epoch":    {other, ledger.Stale},
		"other try, same epoch":  {attempt, ledger.Stale},
		"another action, same":   {command(5, agentv1.Command_SEAL), ledger.Stale},
		"first of all, epoch 0":  {command(0, agentv1.Command_INSTALL), ledger.Stale},
		"an action of tomorrow":  {command(9, 99), ledger.Accept},
		"an action without name": {command(9, 0), ledger.Accept},
	} {
		require.Equal(t, test.want, ledger.Judge(newest, test.arriving), name)
	}
	require.Equal(t, ledger.Accept, ledger.Judge(nil, command(1, agentv1.Command_INSTALL)))
}

func TestTheJournalDecidesHowToGoOn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		phase ledger.Phase
		hook  string
		want  ledger.Resume
		runs  map[int]bool // Live 1, Candidate 2, Back 3
	}{
		{ledger.Idle, "", ledger.ResumeIdle, map[int]bool{1: true}},
		{ledger.Staging, "", ledger.ResumeAgain, map[int]bool{1: true}},
		{ledger.Staging, "test", ledger.ResumeFail, map[int]bool{1: true}},
		{ledger.Activating, "", ledger.ResumeForward, map[int]bool{1: true, 2: true}},
		{ledger.Activating, "pre_stop", ledger.ResumeRevert, map[int]bool{1: true, 2: true}},
		{ledger.Probing, "", ledger.ResumeProbe, map[int]bool{1: true}},
		{ledger.Probing, "post_activate", ledger.ResumeRevert, map[int]bool{1: true}},
		{ledger.Reverting, "", ledger.ResumeRevert, map[int]bool{1: true, 3: true}},
		{ledger.Sealing, "", ledger.ResumeAgain, map[int]bool{1: true}},
	} {
		s := &ledger.Slot{Phase: test.phase, Hook: test.hook, Live: 1, Candidate: 2, Back: 3}
		require.Equal(t, test.want, ledger.Recover(s), "%s %s", test.phase, test.hook)
		require.Equal(t, test.runs, ledger.Runs(s), "%s %s", test.phase, test.hook)
	}
	require.Empty(t, ledger.Runs(&ledger.Slot{}))
}
