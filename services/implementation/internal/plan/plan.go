// Package plan computes the schedule of a plan.
package plan

import (
	"time"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Input is what a plan is made of.
type Input struct {
	Implementation *implementationv1.Implementation
	Stages         []*implementationv1.Stage
	Tasks          []*implementationv1.Task
	Resources      []*implementationv1.Resource // at least those that are assigned
	Baseline       *implementationv1.Baseline   // the current one; nil for none
	Now            time.Time                    // the status date: what is not done cannot be done before; zero for a plan without one
}

// Plan is a network that was checked.
type Plan struct {
	in  Input
	net *Network
}

// Network is what others compute on: risk and levelling. They do not write to it.
func (p *Plan) Network() *Network { return p.net }
