package engine

import (
	"context"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	// maxPreview is how long a span of a preview may be.
	maxPreview = 400 * 24 * time.Hour
	// mostFreezes is how many stretches are told.
	mostFreezes = 1000
)

// PreviewFreezes answers when policies refuse deployments by time.
func (e *Engine) PreviewFreezes(ctx context.Context, req *deploymentv1.PreviewFreezesRequest) (*deploymentv1.PreviewFreezesResponse, error) {
	start, end := req.GetStartTime().AsTime(), req.GetEndTime().AsTime()
	if now := e.store.Now(); !start.Before(end) || end.Sub(start) > maxPreview || start.Before(now.Add(-askBack)) || end.After(now.Add(askAhead)) {
		return nil, fault.Invalid("TIME_OUT_OF_RANGE", "a span of freezes is at most 400 days, ends after it begins, and is at most ten years ahead and one back; ask about another").
			Field("end_time", "must be after start_time by at most 400 days")
	}
	ids := map[string][]string{}
	for field, names := range map[string][]string{"applications": req.GetApplications(), "environments": req.GetEnvironments()} {
		for _, name := range names {
			if err := store.SameWorkspace(field, req.GetParent(), name); err != nil {
				return nil, err
			}
			kind := store.Applications.Parse
			if field == "environments" {
				kind = store.Environments.Parse
			}
			parts, err := kind(name)
			if err != nil {
				return nil, err
			}
			ids[field] = append(ids[field], parts[len(parts)-1])
		}
	}
	specs, err := store.PoliciesOf(ctx, e.store.DB.Read(), req.GetParent())
	if err != nil {
		return nil, err
	}
	freezes, more := policy.Preview(e.policies.Get(specs), ids["applications"], ids["environments"], start, end, mostFreezes)
	return &deploymentv1.PreviewFreezesResponse{Freezes: freezes, Truncated: more}, nil
}
