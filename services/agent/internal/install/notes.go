package install

import (
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/hook"
	"github.com/golive-dev/golive/services/agent/internal/render"
)

// notes is what a worker has to tell and has not told yet.
type notes struct {
	mu    sync.Mutex
	steps []*deploymentv1.InstallationStep
	// outcomes are those of migrations.
	outcomes []*agentv1.MigrationOutcome
	masker   *render.Masker
	logged   int64 // sequence of the newest log chunk of the try
	lines    int   // logged in the try
}

func (n *notes) reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.steps, n.outcomes, n.logged, n.lines = nil, nil, 0, 0
}

func (n *notes) mask(text string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.masker.Text(text)
}

// step does a step and notes when it began, when it ended, and how.
func (n *notes) step(state deploymentv1.Installation_State, name, sha256 string, do func() error) error {
	begin := timestamppb.Now()
	err := do()
	step := &deploymentv1.InstallationStep{
		State: state, Step: name, StartTime: begin, EndTime: timestamppb.Now(), Succeeded: err == nil, Sha256: sha256,
	}
	if err != nil {
		step.Message = n.mask(err.Error())
		if exit, ok := errors.AsType[*hook.ExitError](err); ok {
			step.ExitCode = int32(exit.Exit.Code) //nolint:gosec // an exit code
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.steps = append(n.steps, step)
	return err
}

// take returns the steps that were not told yet.
func (n *notes) take() []*deploymentv1.InstallationStep {
	n.mu.Lock()
	defer n.mu.Unlock()
	steps := n.steps
	n.steps = nil
	return steps
}

// report begins a report on the newest command.
func (w *Worker) report(state deploymentv1.Installation_State) *agentv1.Report {
	c := w.slot.Command
	if state == deploymentv1.Installation_HEALTHY {
		w.trusted()
	}
	return &agentv1.Report{
		Installation: c.GetInstallation(), Attempt: c.GetAttempt(), Epoch: c.GetEpoch(), State: state,
		Steps: w.notes.take(), Time: timestamppb.Now(), Migrations: w.notes.takeOutcomes(),
	}
}

// announce reports a state if it lasts; the returned function ends it. States
// that pass in milliseconds are told by their steps alone.
func (w *Worker) announce(state deploymentv1.Installation_State) (end func()) {
	key, done := w.slot.Key, make(chan struct{})
	c := w.slot.Command
	timer := time.AfterFunc(announceAfter, func() {
		defer close(done)
		report := &agentv1.Report{
			Installation: c.GetInstallation(), Attempt: c.GetAttempt(), Epoch: c.GetEpoch(), State: state,
			Steps: w.notes.take(), Time: timestamppb.Now(),
		}
		w.warn("announce", w.host.Ledger.Tell(key, report)) // a broken journal shows at the next step
	})
	return func() {
		if !timer.Stop() {
			<-done
		}
	}
}

func (w *Worker) warn(what string, err error) {
	if err != nil {
		w.logger.Warn(what, zap.Error(err))
	}
}

// The limits of output that is sent.
const (
	maxLines  = 2000 // of a try
	chunk     = 64   // lines of a message
	maxLine   = 4096
	tailBytes = 4 << 10
	tailLines = 20
)

// output collects lines of one step.
type output struct {
	w     *Worker
	c     *agentv1.Command
	lines []*deploymentv1.LogLine
}

// output makes the secrets of an instance known and returns where to put lines.
func (w *Worker) output(instance *render.Instance) *output {
	w.notes.mu.Lock()
	w.notes.masker = render.NewMasker(instance.Secrets)
	w.notes.mu.Unlock()
	return &output{w: w, c: w.slot.Command}
}

func (o *output) line(source, text string, at time.Time) {
	n := &o.w.notes
	text = strings.ToValidUTF8(n.mask(text), "�")
	n.mu.Lock()
	n.lines++
	over := n.lines > maxLines
	if over && n.lines == maxLines+1 {
		n.logged++ // the gap tells
	}
	n.mu.Unlock()
	if over {
		return
	}
	o.lines = append(o.lines, &deploymentv1.LogLine{Time: timestamppb.New(at), Source: source, Text: text[:min(len(text), maxLine)]})
	if len(o.lines) >= chunk {
		o.flush()
	}
}

func (o *output) flush() {
	if len(o.lines) == 0 {
		return
	}
	o.w.notes.mu.Lock()
	o.w.notes.logged++
	sequence := o.w.notes.logged
	o.w.notes.mu.Unlock()
	o.w.host.Log(&agentv1.LogChunk{Installation: o.c.GetInstallation(), Attempt: o.c.GetAttempt(), Sequence: sequence, Lines: o.lines})
	o.lines = nil
}

// tail logs the last words of an instance's application, and tells whether there are any.
func (w *Worker) tail(n int, instance *render.Instance) (said bool) {
	out := w.output(instance)
	for _, f := range []struct{ source, path string }{{"app stdout", w.place.Stdout(n)}, {"app stderr", w.place.Stderr(n)}} {
		text, at := readTail(f.path)
		if text == "" {
			continue
		}
		said = true
		lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
		for _, line := range lines[max(0, len(lines)-tailLines):] {
			out.line(f.source, line, at)
		}
	}
	out.flush()
	return said
}

// readTail returns the last whole lines of an output and when they were written.
// Just after a file was begun they stand in the one before.
func readTail(path string) (string, time.Time) {
	text, at := tailOf(path, tailBytes)
	if len(text) < tailBytes/2 {
		before, then := tailOf(path+".1", tailBytes-len(text))
		text = before + text
		if at.IsZero() {
			at = then
		}
	}
	return text, at
}

func tailOf(path string, most int) (string, time.Time) {
	f, err := os.Open(path)
	if err != nil {
		return "", time.Time{}
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return "", time.Time{}
	}
	buf := make([]byte, min(info.Size(), int64(most)))
	n, _ := f.ReadAt(buf, info.Size()-int64(len(buf)))
	text := string(buf[:n])
	if int64(n) < info.Size() {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text, info.ModTime()
}
