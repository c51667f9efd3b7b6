// Package demo is the demonstration, in which everything really happens: an HTTP application
// in five versions, host agents on this machine, three cohorts of people. It speaks to a
// golive server through the contracts alone, like any client, and checks every claim it
// makes, so it is the end-to-end test as well.
//
//	seed.go       the application and its releases, the environment
//	people.go     the people, and their training
//	plan.go       the stages of their change
//	host.go       agents: enrolled, started, killed, started again
//	witness.go    asks every target all the time what it runs, and notes each gap
//	receiver.go   is told of events, and believes none without a signature
//	person.go     acts as another person
//	decision.go   asks for a go/no-go, and has it decided
//	first.go      version 1 everywhere, its data migrated once
//	second.go     2 by cohort: a wave waits for people, and for the word of a person
//	third.go      3 falls ill, is caught, and gets no go
//	judged.go     what users got is pushed and judged: 2 passes, 4 is taken back
//	frozen.go     5 waits for a freeze, until a person overrides it
//	monitored.go  people work with it, answer, rate, and save money
//	closed.go     the last go, the scorecard and both halves side by side
package demo

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
)

// The names of the demonstration.
const (
	Workspace      = "workspaces/default"
	Application    = Workspace + "/applications/crm"
	Environment    = Workspace + "/environments/production"
	Implementation = Workspace + "/implementations/crm"
	Training       = Workspace + "/trainings/crm-basics"
)

// Config says where everything is. All fields but Why are required.
type Config struct {
	// Deployment and Implementation are connections to the two services, with a credential.
	Deployment, Implementation grpc.ClientConnInterface
	// AgentAddress is the server's agent port.
	AgentAddress string
	// AgentProgram is the golive-agent binary.
	AgentProgram string
	// As gives connections to the two services with another person's token.
	As func(token string) (deployment, implementation grpc.ClientConnInterface, err error)
	// Applications are the built application by version, one for each of Versions.
	Applications map[string]string
	// Dir is where the hosts live.
	Dir string
	// Out gets the story.
	Out io.Writer
	// Cohorts are the groups, each with a host of its own; the three of the story when nil.
	Cohorts []Cohort
	// MinHealthy is how long a target must be healthy before it counts; half a second in the story.
	MinHealthy time.Duration
	// ProbeInterval is how often each target is probed; a quarter of a second in the story.
	ProbeInterval time.Duration
	// Unwatched leaves the witness out, where asking all targets all the time would be most of the work.
	Unwatched bool
	// Show runs `golive` with arguments, as a person would type them, and shows what it says; nil leaves that out.
	Show func(ctx context.Context, args ...string)
}

// Demo is a demonstration under way.
type Demo struct {
	clients

	cfg     Config
	Hosts   []*Host
	Witness *Witness
	// addresses is where the application of each target listens.
	addresses map[string]string
	ports     Ports
	// told is who hears of events; nil before anybody asked for them.
	told *receiver
}

// New makes a demonstration; nothing has happened yet.
func New(cfg Config) *Demo {
	if cfg.Cohorts == nil {
		cfg.Cohorts, cfg.MinHealthy, cfg.ProbeInterval = Story(), 500*time.Millisecond, 250*time.Millisecond
	}
	return &Demo{cfg: cfg, clients: dial(cfg.Deployment, cfg.Implementation), Witness: NewWitness(), addresses: map[string]string{}}
}

// Cohort is a group that goes live together: its people, and the targets on its host.
type Cohort struct {
	ID      string
	People  int
	Trained int // How many of them have completed the training.
	Targets []string
}

// Versions are those of the application that the story needs.
func Versions() []string { return []string{"1.0.0", "2.0.0", "3.0.0", "4.0.0", "5.0.0"} }

// Story are the groups of the demonstration in the order in which they go live.
func Story() []Cohort {
	return []Cohort{
		{ID: "pilot", People: 10, Trained: 10, Targets: []string{"pilot-1", "pilot-2"}},
		{ID: "sales", People: 20, Trained: 12, Targets: []string{"sales-1", "sales-2"}},
		{ID: "warehouse", People: 10, Trained: 10, Targets: []string{"warehouse-1", "warehouse-2"}},
	}
}

// Addresses is where the application of each target listens, by the target's id.
func (d *Demo) Addresses() map[string]string { return d.addresses }

// Run tells the whole story and checks it.
func (d *Demo) Run(ctx context.Context) error {
	for _, chapter := range []func(context.Context) error{d.Prepare, d.First, d.Listen, d.Second, d.Third, d.Fourth, d.Fifth, d.Sixth, d.Seventh} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Prepare creates everything and starts the hosts.
func (d *Demo) Prepare(ctx context.Context) error {
	began := time.Now()
	d.say("Setting the stage: six targets on this machine, three cohorts of people, one application in five versions.")
	if err := d.seedPeople(ctx); err != nil {
		return fmt.Errorf("seed the people: %w", err)
	}
	if err := d.seedReleases(ctx); err != nil {
		return fmt.Errorf("seed the releases: %w", err)
	}
	if err := d.seedTargets(ctx); err != nil {
		return fmt.Errorf("seed the targets: %w", err)
	}
	if err := d.startHosts(ctx); err != nil {
		return fmt.Errorf("start the hosts: %w", err)
	}
	d.say("Ready after %s: %d agents have enrolled.", time.Since(began).Round(100*time.Millisecond), len(d.Hosts))
	return nil
}

// Close stops the hosts and what runs on them.
func (d *Demo) Close() {
	d.Witness.Stop()
	d.told.close()
	for _, h := range d.Hosts {
		h.Close()
	}
}

// show runs what a person would type.
func (d *Demo) show(ctx context.Context, args ...string) {
	if d.cfg.Show != nil {
		d.cfg.Show(ctx, args...)
	}
}

func (d *Demo) hostDir(id string) string { return filepath.Join(d.cfg.Dir, "hosts", id) }

// say tells the story; nothing depends on it.
func (d *Demo) say(format string, args ...any) {
	_, _ = fmt.Fprintf(d.cfg.Out, "\n▸ "+format+"\n", args...)
}

func (d *Demo) note(format string, args ...any) {
	_, _ = fmt.Fprintf(d.cfg.Out, "    "+format+"\n", args...)
}
