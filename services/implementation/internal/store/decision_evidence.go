package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/verdict"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/evidence"
	"github.com/golive-dev/golive/services/implementation/internal/decision"
	"github.com/golive-dev/golive/services/implementation/internal/readiness"
	"github.com/golive-dev/golive/services/implementation/internal/waits"
)

const (
	// decisionPatience is how long the deployment service may take to say how things are when somebody decides.
	decisionPatience = 3 * time.Second
	// decisionAsks is how many questions are on their way to it at once, and decisionAsk how long one may be: those that come
	// after some that hang are still asked.
	decisionAsks = 8
	decisionAsk  = 2 * time.Second
)

// PreviewDecision gathers the evidence as it is now.
func (s *Store) PreviewDecision(ctx context.Context, gate gatev1.GateServiceClient, name string) (*implementationv1.PreviewDecisionResponse, error) {
	d, err := s.loadDecision(ctx, name)
	if err != nil {
		return nil, err
	}
	on, err := s.gatherDecision(ctx, gate, d)
	if err != nil {
		return nil, err
	}
	return &implementationv1.PreviewDecisionResponse{
		Evidence: on.All, EvidenceDigest: evidence.GistDigest(on.All, d.GetWaves()), Passes: on.Passes(), AsOf: timestamppb.New(s.Now()),
		Waves: d.GetWaves(),
	}, nil
}

// loadDecision reads a decision by a name that somebody gave.
func (s *Store) loadDecision(ctx context.Context, name string) (*implementationv1.Decision, error) {
	if _, err := Decisions.Parse(name); err != nil {
		return nil, err
	}
	return Decisions.Load(ctx, s.DB().Read(), name)
}

// gatherDecision judges the people's half now and asks the deployment service for the machines' half. What cannot be
// asked is UNKNOWN, and named.
func (s *Store) gatherDecision(ctx context.Context, gate gatev1.GateServiceClient, d *implementationv1.Decision) (on decision.Evidence, err error) {
	verdicts, err := s.Verdicts(ctx, d.GetCohortPlans())
	if err != nil {
		return on, err
	}
	for _, plan := range d.GetCohortPlans() {
		v := verdicts[plan]
		if v == nil {
			v = readiness.Gone(plan, s.Now())
		}
		if err := freezeDecision(&on, plan, gatev1.Purpose_PURPOSE_READINESS, v); err != nil {
			return on, err
		}
	}
	absent := ""
	if gate == nil {
		absent = "this server has no deployment service to ask"
	}
	answers := s.askAbout(ctx, gate, d.GetTechnical())
	for i, resource := range d.GetTechnical() {
		a := answers[i]
		switch {
		case fault.Is(a.err, fault.KindNotFound):
			on.Silent = append(on.Silent, resource+" does not exist yet")
			a.verdict = unanswered(resource, "it does not exist yet", s.Now())
		case a.err != nil:
			on.Silent = append(on.Silent, fmt.Sprintf("%s cannot be asked about: %s", resource, fault.From(a.err).Message()))
			a.verdict = unanswered(resource, cmp.Or(absent, "the deployment service does not answer"), s.Now())
		default:
			if err := s.RecordTechnical(ctx, a.verdict, a.asked); err != nil {
				return on, err
			}
		}
		if err := freezeDecision(&on, resource, gatev1.Purpose_PURPOSE_TECHNICAL, a.verdict); err != nil {
			return on, err
		}
	}
	return on, nil
}

func freezeDecision(on *decision.Evidence, resource string, purpose gatev1.Purpose, v *gatev1.Verdict) error {
	e, err := evidence.Freeze(resource, purpose, v)
	on.All = append(on.All, e)
	return err
}

// spoken is what the deployment service said of one resource, and when it was asked.
type spoken struct {
	verdict *gatev1.Verdict
	asked   time.Time
	err     error
}

// askAbout asks about all at once, a few at a time; a slow answer holds up no other.
func (s *Store) askAbout(ctx context.Context, gate gatev1.GateServiceClient, resources []string) []spoken {
	answers := make([]spoken, len(resources))
	if gate == nil {
		for i := range answers {
			answers[i].err = fault.Unavailable("DEPLOYMENT_ABSENT", "this server has no deployment service to ask; start it with one")
		}
		return answers
	}
	ctx, cancel := context.WithTimeout(ctx, decisionPatience)
	defer cancel()
	var asking sync.WaitGroup
	turn := make(chan struct{}, decisionAsks)
	for i, resource := range resources {
		asking.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			answers[i] = s.askOne(ctx, gate, resource)
		})
	}
	asking.Wait()
	return answers
}

// askOne asks about one. An answer that makes no sense is none.
func (s *Store) askOne(ctx context.Context, gate gatev1.GateServiceClient, resource string) (a spoken) {
	ctx, cancel := context.WithTimeout(ctx, decisionAsk)
	defer cancel()
	a.asked = s.Now()
	a.verdict, a.err = gate.EvaluateGate(ctx, &gatev1.EvaluateGateRequest{Resource: resource, Purpose: gatev1.Purpose_PURPOSE_TECHNICAL})
	if a.err != nil {
		return a
	}
	if why := verdict.Doubt(a.verdict, resource, a.asked); why != "" {
		a.err = fault.Unavailable("VERDICT_DOUBTED", "the deployment service is not believed: %s; ask again, and look at what --deployment leads to if it goes on", why)
	}
	return a
}

// unanswered is the verdict on what nothing can be said of.
func unanswered(resource, why string, now time.Time) *gatev1.Verdict {
	return &gatev1.Verdict{
		Resource: resource, State: gatev1.Verdict_UNKNOWN, EvaluatedAt: timestamppb.New(now),
		Reasons: []*gatev1.BlockedBy{{
			Kind: gatev1.BlockedBy_SERVICE, Resource: resource, Current: why, Required: "an answer of the deployment service",
			Since: timestamppb.New(now), Command: "golive why " + resource,
		}},
	}
}

// decisionNow is what both halves say now of the evidence of decisions that are open; the machines' half as it was last heard.
func (s *Store) decisionNow(ctx context.Context, all ...*implementationv1.Decision) (decision.Now, error) {
	plans, technical := decisionEvidence(all)
	now := decision.Now{}
	for part := range slices.Chunk(plans, MaxPlans) {
		verdicts, err := s.Verdicts(ctx, part)
		if err != nil {
			return nil, err
		}
		maps.Copy(now, verdicts)
	}
	return now, s.heard(ctx, technical, now)
}

// heard adds what the deployment service was last heard to say, aged on the clock of this side.
func (s *Store) heard(ctx context.Context, resources []string, now decision.Now) error {
	answers, err := technicalAnswers(ctx, s.DB().Read(), resources)
	if err != nil {
		return err
	}
	for _, resource := range resources {
		if v := answers[waits.Question{Resource: resource, Window: waits.DefaultWindow}].Aged(s.Now()); v != nil {
			now[resource] = v
		}
	}
	return nil
}

// decisionEvidence is what the open ones among decisions name, each once. Their lists stay as they are while a word counts.
func decisionEvidence(all []*implementationv1.Decision) (plans, technical []string) {
	for _, d := range all {
		if decision.Open(d.GetState()) {
			plans, technical = append(plans, d.GetCohortPlans()...), append(technical, d.GetTechnical()...)
		}
	}
	slices.Sort(plans)
	slices.Sort(technical)
	return slices.Compact(plans), slices.Compact(technical)
}
