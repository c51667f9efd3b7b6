package api

import (
	"context"
	"maps"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// GateService answers golive.gate.v1.GateService for cohort plans, stages and decisions: whether the people are ready, the plan has come
// that far, the go is given.
type GateService struct {
	gatev1.UnimplementedGateServiceServer

	store *store.Store
}

// NewGateService serves the store.
func NewGateService(s *store.Store) *GateService { return &GateService{store: s} }

// EvaluateGate judges one resource now.
func (a *GateService) EvaluateGate(ctx context.Context, req *gatev1.EvaluateGateRequest) (*gatev1.Verdict, error) {
	verdicts, err := a.judge(ctx, req.GetPurpose(), req.GetOnBehalfOf(), req.GetResource())
	if err != nil {
		return nil, err
	}
	return required(ctx, a.store, verdicts, req.GetResource())
}

// subject is what kind of thing a gate is asked about.
type subject int

const (
	none subject = iota
	cohortPlan
	stage
	decision
)

func subjectOf(name string) subject {
	parts := strings.Split(name, "/")
	if len(parts) != 6 || parts[0] != "workspaces" || parts[2] != "implementations" {
		return none
	}
	switch parts[4] {
	case "cohortPlans":
		return cohortPlan
	case "stages":
		return stage
	case "decisions":
		return decision
	default:
		return none
	}
}

// judge answers a verdict on each of the names that exists, or refuses what cannot be asked.
func (a *GateService) judge(ctx context.Context, purpose gatev1.Purpose, onBehalfOf string, names ...string) (map[string]*gatev1.Verdict, error) {
	of := map[subject][]string{}
	for _, name := range names {
		if err := supported(purpose, name); err != nil {
			return nil, err
		}
		of[subjectOf(name)] = append(of[subjectOf(name)], name)
	}
	answer, err := a.store.Verdicts(ctx, of[cohortPlan])
	if err != nil {
		return nil, err
	}
	asked := purpose
	if asked == gatev1.Purpose_PURPOSE_UNSPECIFIED {
		asked = gatev1.Purpose_PURPOSE_ALL
	}
	if len(of[stage]) > 0 {
		stages, err := a.store.StageVerdictsFor(ctx, of[stage], asked)
		if err != nil {
			return nil, err
		}
		maps.Copy(answer, stages)
	}
	for _, name := range of[decision] {
		v, err := a.store.DecisionVerdict(ctx, name, onBehalfOf)
		if fault.Is(err, fault.KindNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		answer[name] = v
	}
	for name, v := range answer {
		answer[name] = proto.CloneOf(v)
		answer[name].Purpose = purpose
	}
	return answer, nil
}

// required is the verdict on a name, or the word that there is none.
func required(ctx context.Context, s *store.Store, verdicts map[string]*gatev1.Verdict, name string) (*gatev1.Verdict, error) {
	if v := verdicts[name]; v != nil {
		return v, nil
	}
	q := s.DB().Read()
	switch subjectOf(name) {
	case stage:
		return nil, store.Stages.Required(ctx, q, name)
	case decision:
		return nil, store.Decisions.Required(ctx, q, name)
	default:
		return nil, store.CohortPlans.Required(ctx, q, name)
	}
}

// supported refuses what only the deployment service can judge, and what is no gate.
func supported(purpose gatev1.Purpose, name string) error {
	var err error
	switch subjectOf(name) {
	case cohortPlan:
		if purpose == gatev1.Purpose_PURPOSE_TECHNICAL {
			return fault.Invalid("GATE_UNSUPPORTED",
				"this service judges the people of a cohort plan, not machines; ask the deployment service, or ask for READINESS").
				Field("purpose", "is not judged here")
		}
		_, err = store.CohortPlans.Parse(name)
	case stage:
		_, err = store.Stages.Parse(name)
	case decision:
		if purpose == gatev1.Purpose_PURPOSE_TECHNICAL || purpose == gatev1.Purpose_PURPOSE_READINESS {
			return fault.Invalid("GATE_UNSUPPORTED", "a decision is about people and machines; ask for ALL").
				Field("purpose", "is not judged apart")
		}
		_, err = store.Decisions.Parse(name)
	case none:
		return unsupported(name)
	}
	if err != nil {
		return unsupported(name)
	}
	return nil
}

func unsupported(name string) error {
	return fault.Invalid("GATE_UNSUPPORTED",
		"this service judges cohort plans, stages and decisions (workspaces/…/implementations/…/stages/…); ask for one of those, not for %q", clip(name)).
		Field("resource", "is none of them")
}

func clip(s string) string {
	const most = 200
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
