package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// later are the cohorts that come after the pilot.
func (d *Demo) later() (ids []string) {
	for _, c := range d.cfg.Cohorts[1:] {
		ids = append(ids, c.ID)
	}
	return ids
}

// decide asks for a go/no-go on the later waves of a deployment that is about to be: are their people
// ready, and is the pilot sealed? It returns the decision's name.
func (d *Demo) decide(ctx context.Context, deployment, question string) (string, error) {
	asked := &implementationv1.Decision{DisplayName: question, Owner: approver, DueTime: timestamppb.New(time.Now().Add(24 * time.Hour))}
	for _, cohort := range d.later() {
		asked.Waves = append(asked.Waves, wave(deployment, cohort))
		asked.CohortPlans = append(asked.CohortPlans, plan(cohort))
	}
	asked.Technical = []string{wave(deployment, d.cfg.Cohorts[0].ID)}
	created, err := d.decisions.CreateDecision(ctx, &implementationv1.CreateDecisionRequest{Parent: Implementation, DecisionId: deployment, Decision: asked})
	return created.GetName(), err
}

// decided lets every wave but the pilot's wait for a decision, too.
func decided(rollout *deploymentv1.Rollout, decision string) *deploymentv1.Rollout {
	for _, w := range rollout.GetWaves()[1:] {
		w.Gates = append(w.Gates, &deploymentv1.GateRule{Id: "go", Type: &deploymentv1.GateRule_Decision{Decision: &deploymentv1.DecisionGate{Decision: decision}}})
	}
	return rollout
}

// refused checks that nobody can say go while the evidence does not pass.
func refused(ctx context.Context, person clients, decision string) error {
	_, err := person.decisions.DecideDecision(ctx, &implementationv1.DecideDecisionRequest{Name: decision, Outcome: implementationv1.Decision_OUTCOME_GO, Reason: "it will be all right"})
	switch {
	case fault.ReasonOf(err) == "EVIDENCE_NOT_MET":
		return nil
	case err == nil:
		return fmt.Errorf("%s took a go on evidence that does not pass", decision)
	}
	return err
}

// goes says go to exactly the evidence that the person was shown.
func (d *Demo) goes(ctx context.Context, person clients, decision, reason string) error {
	shown, err := person.decisions.PreviewDecision(ctx, &implementationv1.PreviewDecisionRequest{Name: decision})
	if err != nil {
		return err
	}
	for _, e := range shown.GetEvidence() {
		d.note("%-10s %-9s %s", "evidence", e.GetVerdict().GetState(), e.GetResource())
	}
	said, err := person.decisions.DecideDecision(ctx, &implementationv1.DecideDecisionRequest{
		Name: decision, Outcome: implementationv1.Decision_OUTCOME_GO, Reason: reason, EvidenceDigest: shown.GetEvidenceDigest(),
	})
	if err != nil {
		return err
	}
	record := said.GetRecords()[len(said.GetRecords())-1]
	halves := []string{}
	for _, e := range record.GetEvidence() {
		halves = append(halves, e.GetPurpose().String())
	}
	if said.GetState() != implementationv1.Decision_GO || record.GetPerson() != approver || len(slices.Compact(slices.Sorted(slices.Values(halves)))) != 2 {
		return fmt.Errorf("%s is %s by %s on evidence of %v", decision, said.GetState(), record.GetPerson(), halves)
	}
	return nil
}

func wave(deployment, id string) string {
	return Application + "/deployments/" + deployment + "/waves/" + id
}

func plan(cohort string) string { return Implementation + "/cohortPlans/" + cohort }
