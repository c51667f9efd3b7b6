package store

import (
	"context"
	"errors"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/waits"
)

// StageVerdicts judges the stages now and returns the verdicts on those that exist, with purpose ALL. As with
// [Store.Verdicts], the revision rises and an event tells of it where what matters of one changed since it was last asked for, by anybody.
func (s *Store) StageVerdicts(ctx context.Context, names []string) (map[string]*gatev1.Verdict, error) {
	return s.StageVerdictsFor(ctx, names, gatev1.Purpose_PURPOSE_ALL)
}

// StageVerdictsFor is [Store.StageVerdicts] for one purpose. All purposes share one revision.
func (s *Store) StageVerdictsFor(ctx context.Context, names []string, purpose gatev1.Purpose) (map[string]*gatev1.Verdict, error) {
	const attempts = 10
	names = unique(names)
	for attempt := 1; ; attempt++ {
		verdicts, err := s.judgeStages(ctx, names, purpose)
		if !errors.Is(err, errOvertaken) || attempt == attempts {
			return verdicts, err
		}
	}
}

func (s *Store) judgeStages(ctx context.Context, names []string, purpose gatev1.Purpose) (map[string]*gatev1.Verdict, error) {
	before, err := s.lastVerdicts(ctx, names)
	if err != nil {
		return nil, err
	}
	found, err := stageRows.LoadMany(ctx, s.DB().Read(), names)
	if err != nil {
		return nil, err
	}
	stages := make([]*implementationv1.Stage, 0, len(found))
	for _, name := range names {
		if found[name] != nil {
			stages = append(stages, found[name])
		}
	}
	facts, err := s.stageFacts(ctx, s.DB().Read(), stages)
	if err != nil {
		return nil, err
	}
	if err := s.addExit(ctx, facts, stages); err != nil {
		return nil, err
	}
	verdicts := make(map[string]*gatev1.Verdict, len(stages))
	var changed []*gatev1.Verdict
	for _, name := range names {
		var next *gatev1.Verdict
		switch stage := found[name]; {
		case stage != nil:
			next = facts.StageVerdict(stage, gatev1.Purpose_PURPOSE_ALL)
		case before[name] != nil:
			next = waits.StageGone(name, facts.Now)
		default:
			continue
		}
		if waits.Continue(before[name], next) {
			changed = append(changed, next)
		}
		if stage := found[name]; stage != nil {
			verdicts[name] = next
			if purpose != gatev1.Purpose_PURPOSE_ALL {
				verdicts[name] = facts.StageVerdict(stage, purpose)
				verdicts[name].Revision = next.GetRevision()
			}
		}
	}
	if len(changed) == 0 {
		return verdicts, nil
	}
	return verdicts, s.replace(ctx, changed)
}
