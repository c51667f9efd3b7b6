package store

import (
	"github.com/golive-dev/golive/pkg/resource"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Proposals is the kind of proposals to level a plan.
var Proposals = resource.Define(resource.Spec[*implementationv1.Proposal]{
	Table:    "proposals",
	Columns:  []resource.Column[*implementationv1.Proposal]{{Field: "state"}},
	Parent:   Implementations.RequiredLater,
	Terminal: func(p *implementationv1.Proposal) bool { return p.GetState() == implementationv1.Proposal_APPLIED },
})
