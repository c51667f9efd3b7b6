// Package agent is what runs on a host. It brings releases up on the targets of
// its host, keeps them running, and tells the deployment service.
//
// The agent always calls; nobody calls it. What it is told is journaled before
// it is done, and what it did is kept until the server has acknowledged it, so
// that neither a lost connection nor a lost process loses an outcome or does
// anything twice. While nobody can be reached it goes on: it supervises, probes
// and journals.
//
//	[Enrol]      a join token becomes a certificate
//	[New], Run   one worker for each application on each target (internal/install)
//	             one session with the server at a time (session.go)
//	             one shim for each application, which outlives the agent (shim)
package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/agent/internal/cgroup"
	"github.com/golive-dev/golive/services/agent/internal/content"
	"github.com/golive-dev/golive/services/agent/internal/fetch"
	"github.com/golive-dev/golive/services/agent/internal/host"
	"github.com/golive-dev/golive/services/agent/internal/identity"
	"github.com/golive-dev/golive/services/agent/internal/install"
	"github.com/golive-dev/golive/services/agent/internal/journal"
	"github.com/golive-dev/golive/services/agent/internal/layout"
	"github.com/golive-dev/golive/services/agent/internal/ledger"
	"github.com/golive-dev/golive/services/agent/internal/probe"
	"github.com/golive-dev/golive/services/agent/internal/supervise"
	"github.com/golive-dev/golive/services/agent/shim"
)

// Config says how an agent works. Only DataDir must be set.
type Config struct {
	// DataDir is where the agent keeps everything; only its user may read it.
	DataDir string
	// Server is the agent port, host:port. Empty takes the one it enrolled with.
	Server string
	// JoinToken enrols the agent when it has no valid certificate.
	JoinToken string
	// Version is told to the server.
	Version string
	// Logger takes what operators should know; nil drops it.
	Logger *zap.Logger
	// Shim is the command of the shim. Empty takes golive-shim beside this
	// executable or, where there is none, this executable with the argument shim.
	Shim []string
	// MaxUnpacks is how many archives are unpacked at a time; 0 is one for each core.
	MaxUnpacks int
	// MaxArtifact is the largest archive it fetches, in bytes; 0 is 4 GiB.
	MaxArtifact int64
	// LogLimit bounds each output file of an application; 0 is 4 MiB.
	LogLimit int64
	// LogFiles is how many files of each output are kept, the newest included; 0 is 2.
	LogFiles int
	// Transport is how it hears of work: by a stream, by polls, or by polls where something on the way breaks streams.
	Transport Transport
	// StreamAgain is how long it polls before it tries a stream again; 0 is 5 minutes.
	StreamAgain time.Duration
	// Trial is how long a new program of the agent has to be welcomed; 0 is 2 minutes.
	Trial time.Duration
	// InspectEvery is how often the files of releases are compared with how they were unpacked; 0 is 30 s.
	// HashEvery is how often all of their content is; 0 is 1 h.
	InspectEvery, HashEvery time.Duration
	// ReconnectMin and ReconnectMax bound the pause before it calls again; 0 is 500 ms and 10 s.
	ReconnectMin, ReconnectMax time.Duration

	hook    journal.Hook // of tests
	updater *updater     // nil where the program of this agent is not its own affair
}

// The defaults of Config.
const (
	defaultMaxArtifact  = 4 << 30
	defaultLogLimit     = 4 << 20
	defaultInspectEvery = 30 * time.Second
	defaultHashEvery    = time.Hour
	defaultReconnectMin = 500 * time.Millisecond
	defaultReconnectMax = 10 * time.Second
)

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.MaxUnpacks == 0 {
		c.MaxUnpacks = runtime.GOMAXPROCS(0)
	}
	if c.MaxArtifact == 0 {
		c.MaxArtifact = defaultMaxArtifact
	}
	if c.LogLimit == 0 {
		c.LogLimit = defaultLogLimit
	}
	if c.Transport == "" {
		c.Transport = Auto
	}
	if c.StreamAgain == 0 {
		c.StreamAgain = defaultStreamAgain
	}
	if c.Trial == 0 {
		c.Trial = defaultTrial
	}
	if c.InspectEvery == 0 {
		c.InspectEvery = defaultInspectEvery
	}
	if c.HashEvery == 0 {
		c.HashEvery = defaultHashEvery
	}
	if c.ReconnectMin == 0 {
		c.ReconnectMin = defaultReconnectMin
	}
	if c.ReconnectMax == 0 {
		c.ReconnectMax = defaultReconnectMax
	}
	return c
}

// Agent is one agent. Make it with New and run it once.
type Agent struct {
	config Config
	layout layout.Layout
	lock   *os.File
	ledger *ledger.Ledger
	host   *install.Host
	survey *host.Survey
	bootID string
	link   link
	resend chan *agentv1.Report
	logs   chan *agentv1.LogChunk

	programs  chan *agentv1.AgentProgram // that it should run; the newest
	again     chan struct{}              // asks for another session
	transport transport
	lockedOut bool // the server knows its enrolment no more

	mu       sync.Mutex
	identity *identity.Identity // nil before it is enrolled
	facts    *deploymentv1.HostFacts
	workers  map[ledger.Key]*install.Worker
	targets  map[string]bool // it serves, as the newest Welcome says
	resting  bool            // it takes no more commands: it is about to end
	start    func(*install.Worker)
}

// ErrRunning says that another agent works in the folder.
var ErrRunning = errors.New("another agent works in this folder")

// New opens the folder of an agent, which no other agent may be working in.
func New(config Config) (*Agent, error) {
	a := &Agent{
		config: config.withDefaults(), bootID: rand.Text(), workers: map[ledger.Key]*install.Worker{},
		resend: make(chan *agentv1.Report, 64), logs: make(chan *agentv1.LogChunk, 256), link: newLink(),
		programs: make(chan *agentv1.AgentProgram, 1), again: make(chan struct{}, 1),
	}
	var err error
	if a.layout, err = layout.Open(a.config.DataDir); err != nil {
		return nil, fmt.Errorf("open data folder: %w", err)
	}
	if a.lock, err = acquire(a.layout.Root()); err != nil {
		if errors.Is(err, shim.ErrHeld) {
			err = ErrRunning
		}
		return nil, fmt.Errorf("open data folder %s: %w", a.layout.Root(), err)
	}
	if err := a.open(); err != nil {
		_ = a.lock.Close()
		return nil, err
	}
	return a, nil
}

// lockPatience is how long the lock of an agent that was killed may outlive it: a process that
// it was starting at that moment holds it until it has become another program.
const (
	lockPatience = time.Second
	lockAgain    = 10 * time.Millisecond
)

func acquire(dir string) (*os.File, error) {
	deadline := time.Now().Add(lockPatience)
	for {
		lock, err := shim.Acquire(dir)
		if !errors.Is(err, shim.ErrHeld) || time.Now().After(deadline) {
			return lock, err
		}
		<-time.After(lockAgain)
	}
}

func (a *Agent) open() error {
	id, err := identity.Load(a.layout.Identity())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read identity: %w", err)
	}
	a.identity = id
	book, torn, err := ledger.Open(a.layout.Journal(), a.config.hook)
	if err != nil {
		return err
	}
	if torn > 0 {
		a.config.Logger.Warn("the journal ended in a torn record, as after a power cut; it was dropped", zap.Int64("bytes", torn))
	}
	a.ledger = book
	command, err := a.shimCommand()
	if err != nil {
		return errors.Join(err, book.Close())
	}
	supervisor, err := supervise.New(command, a.layout.Socket())
	if err != nil {
		return errors.Join(err, book.Close())
	}
	a.host = &install.Host{
		Layout: a.layout, Ledger: book, Supervisor: supervisor, Probes: probe.Client(), Logger: a.config.Logger,
		Content: content.New(a.layout, content.Config{
			Client: a.link.client, HTTP: &http.Client{}, Unpacks: a.config.MaxUnpacks, MaxSize: a.config.MaxArtifact,
			Retry: fetch.Retry{Min: 100 * time.Millisecond, Max: 5 * time.Second},
		}),
		Facts: a.currentFacts, Getenv: os.LookupEnv, Resend: a.resendLater, Log: a.log, LogLimit: a.config.LogLimit, LogFiles: a.config.LogFiles,
		InspectEvery: a.config.InspectEvery, HashEvery: a.config.HashEvery,
		Groups: cgroup.Detect(a.layout.Name()),
	}
	a.host.Groups.Sweep()
	cache, err := os.UserCacheDir()
	if err != nil { // a user without a home
		cache = a.layout.Root()
	}
	a.survey = host.NewSurvey(filepath.Join(cache, "golive"), a.host.Groups.Limits(), supervisor.Processes)
	a.facts = a.lookAround()
	return nil
}

// lookAround returns what the host is now.
func (a *Agent) lookAround() *deploymentv1.HostFacts {
	return a.survey.Fill(host.Facts(a.layout.Releases(), a.config.Version))
}

// shimCommand finds the shim.
func (a *Agent) shimCommand() ([]string, error) {
	if len(a.config.Shim) > 0 {
		return a.config.Shim, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the shim: %w", err)
	}
	name := "golive-shim"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	beside := filepath.Join(filepath.Dir(self), name)
	if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
		return []string{beside}, nil
	}
	return []string{self, "shim"}, nil
}

// Run works until the context ends; the applications go on without it. An
// error means that it cannot remember what it does any more.
func (a *Agent) Run(ctx context.Context) error {
	defer func() {
		a.host.Supervisor.Close()
		_ = a.ledger.Close()
		_ = a.lock.Close()
	}()
	group, ctx := errgroup.WithContext(ctx)
	a.mu.Lock()
	a.start = func(w *install.Worker) { group.Go(func() error { return w.Run(ctx) }) }
	a.mu.Unlock()
	for _, slot := range a.ledger.Slots() {
		if _, err := a.worker(slot.Key); err != nil {
			return err
		}
	}
	group.Go(func() error { return a.stayConnected(ctx) })
	group.Go(func() error { return a.trim(ctx) })
	group.Go(func() error { return a.survey.Run(ctx) })
	group.Go(func() error { return a.update(ctx) })
	return group.Wait()
}

// rest is how long nothing must have been done before memory is given back.
const rest = 2 * time.Second

// trim gives the memory of finished work back to the host. Most of the time an
// agent has nothing to do, and the host is there for the applications.
func (a *Agent) trim(ctx context.Context) error {
	ticker := time.NewTicker(rest)
	defer ticker.Stop()
	var before, trimmed int64
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		written := a.ledger.Sequence()
		if written == before && written != trimmed {
			debug.FreeOSMemory()
			trimmed = written
		}
		before = written
	}
}

// worker returns the worker of a place, which it starts if it is the first time.
func (a *Agent) worker(key ledger.Key) (*install.Worker, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w := a.workers[key]; w != nil {
		return w, nil
	}
	w, err := install.NewWorker(a.host, key)
	if err != nil {
		return nil, err
	}
	a.workers[key] = w
	a.start(w)
	return w, nil
}

// dispatch hands a command to its worker, unless its target is not one of ours.
func (a *Agent) dispatch(command *agentv1.Command) {
	a.mu.Lock()
	ours, resting := a.targets[command.GetTarget()], a.resting
	a.mu.Unlock()
	if resting {
		return // the next program of this agent hears it again
	}
	if !ours {
		a.config.Logger.Error("refused a command for a target that this agent does not serve", zap.String("target", command.GetTarget()))
		return
	}
	w, err := a.worker(ledger.Key{Target: command.GetTarget(), Application: command.GetApplication()})
	if err != nil {
		a.config.Logger.Error("refused a command", zap.Error(err))
		return
	}
	w.Offer(command)
}

func (a *Agent) currentFacts() *deploymentv1.HostFacts {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.facts
}

// resendLater queues a report that the server asked for by sending its command again.
// When the queue is full the server will ask once more.
func (a *Agent) resendLater(report *agentv1.Report) {
	select {
	case a.resend <- report:
	default:
	}
}

// log queues output; when the queue is full the oldest goes.
func (a *Agent) log(chunk *agentv1.LogChunk) {
	for {
		select {
		case a.logs <- chunk:
			return
		default:
		}
		select {
		case <-a.logs:
		default:
		}
	}
}
