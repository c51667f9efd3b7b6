package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/dora"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// doraWindow is the length of a window that names no begin.
const doraWindow = 30 * 24 * time.Hour

// DoraService answers golive.deployment.v1.DoraService.
type DoraService struct {
	deploymentv1.UnimplementedDoraServiceServer

	store *store.Store
}

// NewDoraService serves the store.
func NewDoraService(s *store.Store) *DoraService { return &DoraService{store: s} }

// GetDoraMetrics computes the measures over a window; five statements, whatever the number of deployments.
func (a *DoraService) GetDoraMetrics(ctx context.Context, req *deploymentv1.GetDoraMetricsRequest) (*deploymentv1.DoraMetrics, error) {
	start, end, err := a.window(req)
	if err != nil {
		return nil, err
	}
	q := a.store.DB.Read()
	if !strings.HasSuffix(req.GetParent(), "/applications/-") {
		if err := store.Applications.Required(ctx, q, req.GetParent()); err != nil {
			return nil, err
		}
	}
	if req.GetEnvironment() != "" {
		if err := store.SameWorkspace("environment", req.GetParent(), req.GetEnvironment()); err != nil {
			return nil, err
		}
		if err := store.Environments.Required(ctx, q, req.GetEnvironment()); err != nil {
			return nil, err
		}
	}
	known, err := store.DeploymentsSince(ctx, q, req.GetParent(), start)
	if err != nil {
		return nil, err
	}
	counted := counted(known, req.GetEnvironment(), start, end)
	if err := a.attribute(ctx, req.GetParent(), known, counted); err != nil {
		return nil, err
	}
	return dora.Compute(counted, start, end), nil
}

func (a *DoraService) window(req *deploymentv1.GetDoraMetricsRequest) (start, end time.Time, err error) {
	end, length := a.store.Now(), doraWindow
	if req.GetEndTime() != nil {
		end = req.GetEndTime().AsTime()
	}
	if req.GetLast() != nil {
		length = req.GetLast().AsDuration()
	}
	start = end.Add(-length)
	if req.GetStartTime() != nil {
		start = req.GetStartTime().AsTime()
	}
	if !start.Before(end) {
		return start, end, fault.Invalid("INVALID_WINDOW", "the window ends at %s, which is not after its begin at %s; correct one of them",
			end.Format(time.RFC3339), start.Format(time.RFC3339)).Field("end_time", "must be after start_time")
	}
	return start, end, nil
}

func counted(known []*deploymentv1.Deployment, environment string, start, end time.Time) []*dora.Deployment {
	var out []*dora.Deployment
	for _, d := range known {
		if dora.Counts(d, start, end) && (environment == "" || d.GetEnvironment() == environment) {
			out = append(out, &dora.Deployment{Deployment: d})
		}
	}
	return out
}

// attribute fills in who took a deployment back, mended it, or was hurt by it, and how long it was live where that matters.
func (a *DoraService) attribute(ctx context.Context, parent string, known []*deploymentv1.Deployment, all []*dora.Deployment) error {
	q := a.store.DB.Read()
	byName := make(map[string]*dora.Deployment, len(all))
	var releases []string
	for _, d := range all {
		byName[d.GetName()] = d
		releases = append(releases, d.GetRelease())
	}
	for _, d := range known {
		if d.GetKind() == deploymentv1.Deployment_CATCH_UP {
			continue // the stragglers of a rollback are not the rollback
		}
		if was := byName[d.GetRollbackOf()]; was != nil && (was.Rollback == nil || d.GetState() == deploymentv1.Deployment_SUCCEEDED) {
			was.Rollback = d
		}
		if was := byName[d.GetFixes()]; was != nil && (was.Fix == nil || d.GetState() == deploymentv1.Deployment_SUCCEEDED) {
			was.Fix = d
		}
	}
	slices.Sort(releases)
	loaded, err := store.Releases.LoadMany(ctx, q, slices.Compact(releases))
	if err != nil {
		return err
	}
	incidents, err := store.IncidentsOf(ctx, q, parent)
	if err != nil {
		return err
	}
	for _, i := range incidents {
		if d := byName[i.GetCausedBy()]; d != nil {
			d.Incidents = append(d.Incidents, i)
		}
	}
	var failed []string
	for _, d := range all {
		if t := loaded[d.GetRelease()].GetCommitTime(); t != nil {
			d.Commit = t.AsTime()
		}
		if len(d.Failures()) > 0 {
			failed = append(failed, d.GetName())
		}
	}
	return a.expose(ctx, byName, failed)
}

// expose sums up how long the releases of failed deployments were live, by wave.
func (a *DoraService) expose(ctx context.Context, byName map[string]*dora.Deployment, failed []string) error {
	if len(failed) == 0 {
		return nil
	}
	q, now := a.store.DB.Read(), a.store.Now()
	rows, err := store.Exposures(ctx, q, failed)
	if err != nil {
		return err
	}
	people, err := store.Headcounts(ctx, q, failed)
	if err != nil {
		return err
	}
	type sum struct {
		live    time.Duration
		targets int
	}
	waves, order := map[string]*sum{}, []store.Exposure{}
	for _, r := range rows {
		s := waves[r.Wave]
		if s == nil {
			s = &sum{}
			waves[r.Wave] = s
			order = append(order, r)
		}
		s.targets++
		to := r.To
		if to.IsZero() {
			to = now
		}
		if !r.From.IsZero() && to.After(r.From) {
			s.live += to.Sub(r.From)
		}
	}
	for _, r := range order {
		s := waves[r.Wave]
		if s.live == 0 {
			continue
		}
		x := &deploymentv1.WaveExposure{Wave: r.Wave, TargetExposure: durationpb.New(s.live)}
		if n := people[r.Wave]; n > 0 {
			x.UserExposure = durationpb.New(time.Duration(float64(s.live) * float64(n) / float64(s.targets)))
		}
		byName[r.Deployment].Exposures = append(byName[r.Deployment].Exposures, x)
	}
	return nil
}
