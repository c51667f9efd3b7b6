package store

import (
	"context"
	"path"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
)

const (
	// mostEvidence is how many signals a challenge keeps.
	mostEvidence = 100
	// detector is who raises what nobody raised.
	detector = "services/implementation"
)

// register is what detectors have suggested of one implementation, by rule and subject.
type register struct {
	live  map[[2]string]string // the challenge that new evidence belongs to
	ended map[[2]string]*implementationv1.Challenge
}

// openRegister reads it; of several that ended the newest counts.
func openRegister(ctx context.Context, tx *sqldb.Tx, implementation string) (*register, error) {
	all, err := Challenges.Select(ctx, tx, "WHERE parent = $1 AND rule <> '' ORDER BY create_time, name", implementation)
	if err != nil {
		return nil, err
	}
	r := &register{live: map[[2]string]string{}, ended: map[[2]string]*implementationv1.Challenge{}}
	for _, c := range all {
		key := [2]string{c.GetRule(), c.GetSubject()}
		if lifecycle.ChallengeLive(c.GetState()) {
			r.live[key] = c.GetName()
		} else {
			r.ended[key] = c
		}
	}
	return r, nil
}

// muted says that a person has heard this before: a dismissed challenge speaks again when
// its evidence is worse, a closed one when its rule enters anew.
func (r *register) muted(key [2]string, signal *implementationv1.Signal) bool {
	last := r.ended[key]
	switch last.GetState() {
	case implementationv1.Challenge_DISMISSED:
		return !detect.Worse(signal.GetMeasure(), last.GetMeasure())
	case implementationv1.Challenge_CLOSED:
		return signal.GetPhase() != implementationv1.Signal_ENTERED
	default:
		return false
	}
}

// speak adds the signal to the challenge that it belongs to, or suggests one.
func (r *settlement) speak(ctx context.Context, tx *sqldb.Tx, rule detect.Rule, signal *implementationv1.Signal) error {
	key := [2]string{signal.GetRule(), signal.GetSubject()}
	if name, ok := r.register.live[key]; ok {
		row, err := Challenges.LockRow(ctx, tx, name)
		if err != nil {
			return err
		}
		if lifecycle.ChallengeLive(row.Message.GetState()) { // a person may have ended it since it was read
			witness(row.Message, signal)
			row.Message.Proposal = nil
			return Challenges.Save(ctx, tx, r.Store.Store, row.Message, row.Revision, resource.Meta{Verb: "evidenced", Cause: signal.GetArithmetic()})
		}
		delete(r.register.live, key)
		r.register.ended[key] = row.Message
	}
	if r.register.muted(key, signal) {
		return nil
	}
	name, err := r.challengeName(ctx, tx, signal)
	if err != nil {
		return err
	}
	c := &implementationv1.Challenge{
		Name: name, DisplayName: rule.Title + ": " + path.Base(signal.GetSubject()), Class: rule.Class, Nature: rule.Nature, Mitigation: signal.GetRemedy(),
		Subject: signal.GetSubject(), Cohort: signal.GetCohort(), State: implementationv1.Challenge_SUGGESTED, Creator: detector, Rule: signal.GetRule(),
	}
	if rule.Nature == implementationv1.Challenge_ISSUE {
		c.Probability = 4 // it is there by its numbers; a person says that it really is
	}
	weigh(c)
	witness(c, signal)
	r.register.live[key] = name
	r.answer.Suggested = append(r.answer.Suggested, name)
	return Challenges.Insert(ctx, tx, r.Store.Store, c, resource.Meta{Verb: "suggested", Cause: signal.GetArithmetic()})
}

func witness(c *implementationv1.Challenge, signal *implementationv1.Signal) {
	c.Evidence = append(c.GetEvidence(), signal.GetName())
	c.Evidence = c.GetEvidence()[max(len(c.GetEvidence())-mostEvidence, 0):]
	c.Arithmetic, c.Measure = signal.GetArithmetic(), signal.GetMeasure()
}

// challengeName is one that a person can type, such as r2-sales-2026-w47; the signal's id where that is taken.
func (r *settlement) challengeName(ctx context.Context, tx *sqldb.Tx, signal *implementationv1.Signal) (string, error) {
	const longest = 60
	id := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' {
			return c
		}
		return '-'
	}, strings.ToLower(signal.GetRule()+"-"+path.Base(signal.GetSubject())+"-"+path.Base(signal.GetPeriod())))
	short := Challenges.Name(r.implementation, strings.TrimRight(id[:min(len(id), longest)], "-"))
	taken, err := existing(ctx, tx, "challenges", []string{short})
	if err != nil || !taken[short] {
		return short, err
	}
	return Challenges.Name(r.implementation, path.Base(signal.GetName())), nil
}

// propose says that the evidence is gone, unless another aspect of the same subject still speaks.
func (r *settlement) propose(ctx context.Context, tx *sqldb.Tx, signal *implementationv1.Signal) error {
	for key, standing := range r.standings {
		if string(key.rule) == signal.GetRule() && key.subject == signal.GetSubject() && standing.Active {
			return nil
		}
	}
	name, ok := r.register.live[[2]string{signal.GetRule(), signal.GetSubject()}]
	if !ok {
		return nil
	}
	row, err := Challenges.LockRow(ctx, tx, name)
	if err != nil || !lifecycle.ChallengeLive(row.Message.GetState()) || row.Message.GetState() == implementationv1.Challenge_RESOLVED {
		return err
	}
	row.Message.Proposal = &implementationv1.ResolutionProposal{Time: timestamppb.New(r.Now()), Signal: signal.GetName(), Message: signal.GetArithmetic()}
	r.answer.Proposed = append(r.answer.Proposed, name)
	return Challenges.Save(ctx, tx, r.Store.Store, row.Message, row.Revision, resource.Meta{Verb: "proposed", Cause: signal.GetArithmetic()})
}
