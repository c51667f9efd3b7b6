package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/history"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

// HistoryService answers golive.deployment.v1.HistoryService.
type HistoryService struct {
	deploymentv1.UnimplementedHistoryServiceServer

	store *store.Store
}

// NewHistoryService serves the store.
func NewHistoryService(s *store.Store) *HistoryService { return &HistoryService{store: s} }

// scoped is what the questions about availability have in common.
type scoped interface {
	GetParent() string
	GetApplication() string
	GetRelease() string
	GetTarget() string
}

// scope checks that what a question names is there.
func (a *HistoryService) scope(ctx context.Context, req scoped) (history.Scope, error) {
	s := history.Scope{Environment: req.GetParent(), Application: req.GetApplication(), Release: req.GetRelease(), Target: req.GetTarget()}
	q := a.store.DB.Read()
	if err := store.Environments.Required(ctx, q, s.Environment); err != nil {
		return s, err
	}
	return s, a.known(ctx, s.Environment, s.Application, s.Release, s.Target)
}

// known refuses names of what is not there, or not where it is asked for: a slip of the pen would look like
// something that never ran. Empty ones are not asked about.
func (a *HistoryService) known(ctx context.Context, environment, application, release, target string) error {
	q := a.store.DB.Read()
	if application != "" {
		if err := store.SameWorkspace("application", environment, application); err != nil {
			return err
		}
		if err := store.Applications.Required(ctx, q, application); err != nil {
			return err
		}
	}
	if release != "" {
		if !strings.HasPrefix(release, application+"/releases/") {
			return fault.Invalid("OTHER_APPLICATION", "%s is no release of %s; name one of its own", release, application).Field("release", "must be a release of "+application)
		}
		if err := store.Releases.Required(ctx, q, release); err != nil {
			return err
		}
	}
	if target == "" {
		return nil
	}
	if !strings.HasPrefix(target, environment+"/targets/") {
		return fault.Invalid("OTHER_ENVIRONMENT", "%s is no target of %s; name one of its own", target, environment).Field("target", "must be a target of "+environment)
	}
	return store.Targets.Required(ctx, q, target)
}

// GetAvailability says how well an application ran over a window.
func (a *HistoryService) GetAvailability(ctx context.Context, req *deploymentv1.GetAvailabilityRequest) (*deploymentv1.Availability, error) {
	w, err := history.NewWindow(req.GetStartTime(), req.GetEndTime(), req.GetLast(), a.store.Now())
	if err != nil {
		return nil, err
	}
	s, err := a.scope(ctx, req)
	if err != nil {
		return nil, err
	}
	return history.Availability(ctx, a.store, s, w, history.Objective{Share: req.GetObjective(), MinCoverage: req.GetMinCoverage()})
}

// GetAvailabilitySeries is the same as a chart.
func (a *HistoryService) GetAvailabilitySeries(ctx context.Context, req *deploymentv1.GetAvailabilitySeriesRequest) (*deploymentv1.AvailabilitySeries, error) {
	w, err := history.NewWindow(req.GetStartTime(), req.GetEndTime(), req.GetLast(), a.store.Now())
	if err != nil {
		return nil, err
	}
	s, err := a.scope(ctx, req)
	if err != nil {
		return nil, err
	}
	return history.Chart(ctx, a.store, s, w)
}

// runToken is where a page of runs ended, and the question that it belongs to.
type runToken struct {
	Environment, Application, Target string
	At, From                         int64
	LastTarget, LastApplication      string
}

// ListRuns pages through what ran where and when, newest first.
func (a *HistoryService) ListRuns(ctx context.Context, req *deploymentv1.ListRunsRequest) (*deploymentv1.ListRunsResponse, error) {
	if err := store.Environments.Required(ctx, a.store.DB.Read(), req.GetParent()); err != nil {
		return nil, err
	}
	if err := a.known(ctx, req.GetParent(), req.GetApplication(), "", req.GetTarget()); err != nil {
		return nil, err
	}
	by := store.RunQuery{Environment: req.GetParent(), Application: req.GetApplication(), Target: req.GetTarget(), Limit: pageSize(req.GetPageSize()) + 1}
	token := runToken{Environment: by.Environment, Application: by.Application, Target: by.Target}
	if req.GetAt() != nil {
		by.Start, by.End = req.GetAt().AsTime(), req.GetAt().AsTime().Add(time.Microsecond)
		token.At = by.Start.UnixMicro()
	}
	if req.GetPageToken() != "" {
		before, err := token.resume(req.GetPageToken())
		if err != nil {
			return nil, err
		}
		by.Before = before
	}
	runs, err := store.Runs(ctx, a.store.DB.Read(), by)
	if err != nil {
		return nil, err
	}
	out := &deploymentv1.ListRunsResponse{}
	if len(runs) == by.Limit {
		runs = runs[:by.Limit-1]
		out.NextPageToken = token.after(runs[len(runs)-1])
	}
	for _, r := range runs {
		out.Runs = append(out.Runs, r.Message())
	}
	return out, nil
}

// pageSize is 50 where nothing is said and at most 1000 (AIP-158).
func pageSize(asked int32) int {
	if asked == 0 {
		return 50
	}
	return int(min(asked, 1000))
}

func (t runToken) after(last store.Run) string {
	t.From, t.LastTarget, t.LastApplication = last.From.UnixMicro(), last.Target, last.Application
	data, err := json.Marshal(t)
	if err != nil {
		panic(err) // strings and numbers
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func (t runToken) resume(token string) (*store.Run, error) {
	var was runToken
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(data, &was)
	}
	if err != nil {
		return nil, fault.Invalid(resource.ReasonInvalidPageToken, "the page token cannot be read; start again without one").Field("page_token", "must be one that an answer gave")
	}
	asked := was
	asked.From, asked.LastTarget, asked.LastApplication = 0, "", ""
	if asked != t {
		return nil, fault.Invalid(resource.ReasonPageTokenMismatch, "the page token belongs to another question; keep all else as it was, or start again without one").
			Field("page_token", "belongs to another question")
	}
	return &store.Run{From: time.UnixMicro(was.From).UTC(), Target: was.LastTarget, Application: was.LastApplication}, nil
}
