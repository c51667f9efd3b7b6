package e2e

import (
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// What the agents of a swarm do with their orders.

// order takes one: to install is held until the swarm is to answer, everything else is answered at once.
func (a *lightAgent) order(c *agentv1.Command) error {
	report := &agentv1.Report{Installation: c.GetInstallation(), Attempt: c.GetAttempt(), Epoch: c.GetEpoch(), Time: timestamppb.Now()}
	switch c.GetAction() {
	case agentv1.Command_INSTALL:
		a.hoard(c)
		return nil
	case agentv1.Command_PRESTAGE:
		report.Prestaged = true
	case agentv1.Command_SEAL:
		report.State, report.Health = deploymentv1.Installation_SEALED, deploymentv1.Installation_HEALTHY_NOW
		a.mu.Lock()
		if a.sealed != c.GetInstallation() { // else it was sent again
			a.sealed = c.GetInstallation()
			defer a.swarm.sealed.Add(1)
		}
		a.mu.Unlock()
	case agentv1.Command_REVERT:
		report.State = deploymentv1.Installation_REVERTED
	default:
		report.State = deploymentv1.Installation_CANCELLED
	}
	return a.report(report)
}

// hoard keeps an order, once.
func (a *lightAgent) hoard(c *agentv1.Command) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if before := a.orders[c.GetInstallation()]; before.GetEpoch() >= c.GetEpoch() {
		return // it was sent again
	} else if before == nil {
		a.swarm.held.Add(1)
		a.swarm.lastHeld.Store(time.Now().UnixNano())
		a.swarm.tell()
	}
	a.orders[c.GetInstallation()] = c
}

// answer reports what was held as done, with the steps that a host takes.
func (a *lightAgent) answer() {
	a.mu.Lock()
	orders := slices.Collect(maps.Values(a.orders))
	clear(a.orders)
	a.mu.Unlock()
	for _, c := range orders {
		a.swarm.held.Add(-1)
		r := &agentv1.Report{
			Installation: c.GetInstallation(), Attempt: c.GetAttempt(), Epoch: c.GetEpoch(), Time: timestamppb.Now(),
			State: deploymentv1.Installation_HEALTHY, Health: deploymentv1.Installation_HEALTHY_NOW,
		}
		for step, state := range map[string]deploymentv1.Installation_State{
			"fetch": deploymentv1.Installation_FETCHING, "activate": deploymentv1.Installation_ACTIVATING, "probe": deploymentv1.Installation_PROBING,
		} {
			r.Steps = append(r.Steps, &deploymentv1.InstallationStep{
				Step: step, State: state, StartTime: timestamppb.Now(), EndTime: timestamppb.Now(), Succeeded: true,
			})
		}
		_ = a.report(r) // what cannot be sent now is sent with the next stream
	}
}

// report keeps a report until it is acknowledged, and sends it.
func (a *lightAgent) report(r *agentv1.Report) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sequence++
	r.Sequence = a.sequence
	a.reports[r.GetSequence()] = r
	a.swarm.unacked.Add(1)
	if isResult(r) {
		a.swarm.results.Add(1)
	}
	if a.stream == nil {
		return nil
	}
	return send(a.stream, r)
}

func send(stream agentv1.AgentService_ConnectClient, r *agentv1.Report) error {
	return stream.Send(&agentv1.ConnectRequest{Message: &agentv1.ConnectRequest_Report{Report: r}})
}

// isResult tells whether a report is the outcome of an installation.
func isResult(r *agentv1.Report) bool { return r.GetState() == deploymentv1.Installation_HEALTHY }
