package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/run"
	"github.com/golive-dev/golive/pkg/verdict"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
	"github.com/golive-dev/golive/services/implementation/internal/waits"
)

const (
	// askEvery is how often the deployment service is asked what somebody here wants to know, where nothing else is said.
	askEvery = 10 * time.Second
	// absentEvery is how often it is asked about what does not exist yet, which no stream tells of.
	absentEvery = 2 * time.Second
	// lookEvery is how often it is looked for what somebody has come to want.
	lookEvery = time.Second
	// askPatience is how long one answer may take.
	askPatience = 5 * time.Second
	// askWide is how many answers may be waited for at once, so that a slow one does not hold up the others.
	askWide = 16
	// settleEvery is how often stages are looked at for what time alone changes: an answer grows old, an override ends, it has held for long enough.
	settleEvery = time.Second
	// absentFor is for how long the word is good that a resource does not exist.
	absentFor = time.Minute
)

// Technical asks the deployment service about the machines that criteria, conditions of
// stages and decisions name, keeps what it says, and judges again whoever waits for it. Who does not answer says
// nothing: what was said before grows old, and is UNKNOWN when it is too old.
//
// The pull is the truth and happens every ten seconds. A stream of the deployment service hints at what
// changed, which is then asked for at once; while it is broken, nothing is but later.
type Technical struct {
	store  *store.Store
	gate   gatev1.GateServiceClient
	every  time.Duration
	hints  chan string   // resources of which the deployment service says that they changed
	known  chan []string // resources that it knows, after each sweep
	logger *zap.Logger
}

// NewTechnical asks through gate, again and again; a nil gate asks nobody.
func NewTechnical(s *store.Store, gate gatev1.GateServiceClient, every time.Duration, logger *zap.Logger) *Technical {
	return &Technical{
		store: s, gate: gate, every: cmp.Or(every, askEvery), logger: logger,
		hints: make(chan string, askWide), known: make(chan []string),
	}
}

// Run asks until ctx ends. Stages are settled also where there is nobody to ask, because overrides begin and end.
func (t *Technical) Run(ctx context.Context) error {
	parts := []run.Part{{Name: "stages", Run: t.settle}}
	if t.gate != nil {
		parts = append(parts, run.Part{Name: "questions", Run: t.sweep}, run.Part{Name: "hinted questions", Run: t.follow}, run.Part{Name: "hints", Run: t.watch})
	}
	return run.All(ctx, parts...)
}

func (t *Technical) settle(ctx context.Context) error {
	run.Every(ctx, settleEvery, func(ctx context.Context) {
		if err := t.store.SettleStages(ctx); err != nil && ctx.Err() == nil {
			t.logger.Warn("stages not settled; trying again", zap.Error(err))
		}
	})
	return nil
}

// sweep asks everything again and again, and what somebody has come to want meanwhile within a second, or what has come to exist in two.
func (t *Technical) sweep(ctx context.Context) error {
	var last time.Time
	asked, known := map[waits.Question]time.Time{}, map[string]bool{}
	run.Every(ctx, min(t.every, lookEvery), func(ctx context.Context) {
		wanted, err := t.store.TechnicalWanted(ctx)
		if err != nil {
			t.failed(ctx, err)
			return
		}
		all := time.Since(last) >= t.every
		if all {
			last = time.Now()
			clear(asked)
			clear(known)
		}
		wanted = slices.DeleteFunc(wanted, func(q waits.Question) bool {
			at, before := asked[q]
			exists, answered := known[q.Resource]
			return before && (exists || !answered || time.Since(at) < absentEvery)
		})
		if len(wanted) == 0 && !all {
			return
		}
		for _, q := range wanted {
			asked[q] = time.Now()
		}
		answered, err := t.ask(ctx, wanted)
		if err != nil {
			t.failed(ctx, err)
		}
		maps.Copy(known, answered)
		select {
		case t.known <- existing(known):
		case <-ctx.Done():
		}
	})
	return nil
}

// existing are the resources that the deployment service knows.
func existing(known map[string]bool) (names []string) {
	for name, exists := range known {
		if exists {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (t *Technical) failed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		t.logger.Warn("machines not asked about; trying again", zap.Error(err))
	}
}

// follow asks what was hinted at; what was hinted at meanwhile is asked with it, and once.
func (t *Technical) follow(ctx context.Context) error {
	for {
		changed := map[string]bool{}
		select {
		case <-ctx.Done():
			return nil
		case resource := <-t.hints:
			changed[resource] = true
		}
		for more := true; more; {
			select {
			case resource := <-t.hints:
				changed[resource] = true
			default:
				more = false
			}
		}
		wanted, err := t.store.TechnicalWanted(ctx)
		if err == nil {
			var some []waits.Question
			for _, q := range wanted {
				if changed[q.Resource] {
					some = append(some, q)
				}
			}
			_, err = t.ask(ctx, some)
		}
		if err != nil {
			t.failed(ctx, err) // by the next sweep
		}
	}
}

// heard is an answer. What does not exist is not there: one name of that kind would end the stream that it is watched with.
type heard struct {
	store.Said

	there bool
}

// ask puts the questions, keeps each answer as it comes, and tells of each resource that was answered for whether it exists.
func (t *Technical) ask(ctx context.Context, wanted []waits.Question) (known map[string]bool, err error) {
	known = map[string]bool{}
	answers := make(chan heard)
	asking, asked := errgroup.WithContext(ctx)
	asking.SetLimit(askWide)
	go func() {
		for _, q := range wanted {
			asking.Go(func() error {
				if a, ok := t.evaluate(asked, q); ok {
					answers <- a
				}
				return nil
			})
		}
		_ = asking.Wait()
		close(answers)
	}()
	for a := range answers {
		batch := []heard{a}
		for more := true; more; {
			select {
			case next, open := <-answers:
				if more = open; open {
					batch = append(batch, next)
				}
			default:
				more = false
			}
		}
		said := make([]store.Said, len(batch))
		for i, a := range batch {
			said[i], known[a.Resource] = a.Said, a.there
		}
		if keepErr := t.keep(ctx, said); err == nil {
			err = keepErr // and the others are heard out
		}
	}
	return known, err
}

// evaluate puts one question. That a resource does not exist is an answer too; that nobody answers is none.
func (t *Technical) evaluate(ctx context.Context, q waits.Question) (heard, bool) {
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	asked := t.store.Now() // its age counts from here, by the clock of this side
	v, err := t.gate.EvaluateGate(ctx, &gatev1.EvaluateGateRequest{Resource: q.Resource, Purpose: gatev1.Purpose_PURPOSE_TECHNICAL, Window: durationpb.New(q.Window)})
	there := !fault.Is(err, fault.KindNotFound)
	switch {
	case !there:
		v = absent(q.Resource, asked)
	case err != nil:
		t.logger.Debug("the deployment service does not answer", zap.String("resource", q.Resource), zap.Error(err))
		return heard{}, false
	}
	if why := verdict.Doubt(v, q.Resource, asked); why != "" {
		t.logger.Warn("an answer of the deployment service is not believed", zap.String("resource", q.Resource), zap.String("why", why))
		return heard{}, false
	}
	return heard{store.Said{Question: q, Answer: waits.Answer{Verdict: v, Asked: asked}}, there}, true
}

// absent is the verdict on what the deployment service does not know.
func absent(resource string, now time.Time) *gatev1.Verdict {
	return &gatev1.Verdict{
		Resource: resource, Purpose: gatev1.Purpose_PURPOSE_TECHNICAL, State: gatev1.Verdict_UNKNOWN, EvaluatedAt: timestamppb.New(now), Ttl: durationpb.New(absentFor),
		ValidUntil: timestamppb.New(now.Add(absentFor)), WaitingOn: []string{resource},
		Reasons: []*gatev1.BlockedBy{{Kind: gatev1.BlockedBy_TECHNICAL, Resource: resource, Current: "it does not exist yet", Required: "it exists", Owner: "operators", Since: timestamppb.New(now), Command: "golive why " + resource}},
	}
}

// keep writes answers down, and judges again whoever waits for them.
func (t *Technical) keep(ctx context.Context, answers []store.Said) error {
	if err := t.store.RecordAnswers(ctx, answers); err != nil {
		return err
	}
	resources := make([]string, len(answers))
	for i, a := range answers {
		resources[i] = a.Resource
	}
	if err := t.store.SettleStagesOn(ctx, resources); err != nil {
		return err
	}
	plans, err := t.store.TechnicalPlans(ctx, resources)
	if err != nil {
		return err
	}
	if _, err := t.store.Verdicts(ctx, plans); err != nil {
		return err
	}
	decisions, err := t.store.DecisionsOn(ctx, slices.Concat(resources, plans))
	if err != nil {
		return err
	}
	return t.store.CheckDecisions(ctx, decisions)
}
