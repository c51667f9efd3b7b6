package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/lifecycle"
	"github.com/golive-dev/golive/services/implementation/internal/template"
)

// The reasons of faults about templates.
const (
	ReasonTemplateNotFound = "TEMPLATE_NOT_FOUND"
	ReasonRoleUnknown      = "ROLE_UNKNOWN"
)

// sponsorRole is the role of a template that the sponsor of an implementation has.
const sponsorRole = "sponsor"

// ListPlanTemplates pages through the templates of the product. A page token is the id before the page.
func (s *Store) ListPlanTemplates(_ context.Context, req *implementationv1.ListPlanTemplatesRequest) (*implementationv1.ListPlanTemplatesResponse, error) {
	all, err := template.All()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t *implementationv1.PlanTemplate) bool { return t.GetId() <= req.GetPageToken() })
	page := &implementationv1.ListPlanTemplatesResponse{PlanTemplates: all}
	if size := int(req.GetPageSize()); size > 0 && size < len(all) {
		page.PlanTemplates, page.NextPageToken = all[:size], all[size-1].GetId()
	}
	return page, nil
}

// ApplyTemplate creates the stages and tasks of a template, all of them or none.
func (s *Store) ApplyTemplate(ctx context.Context, req *implementationv1.ApplyTemplateRequest) (*implementationv1.ApplyTemplateResponse, error) {
	if _, err := Implementations.Parse(req.GetImplementation()); err != nil {
		return nil, err
	}
	of, err := findTemplate(req.GetTemplate())
	if err != nil {
		return nil, err
	}
	for role := range req.GetOwners() {
		if !slices.ContainsFunc(of.GetRoles(), func(r *implementationv1.TemplateRole) bool { return r.GetId() == role }) {
			return nil, fault.Invalid(ReasonRoleUnknown, "template %s has no role %s; list the templates to see its roles", of.GetId(), quoted(role)).
				Field("owners", "names a role that the template does not have")
		}
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ApplyTemplateResponse, error) {
		row, err := openPlan(ctx, tx, req.GetImplementation())
		if err != nil {
			return nil, err
		}
		t, err := findTemplate(req.GetTemplate()) // again for every run
		if err != nil {
			return nil, err
		}
		if err := s.place(ctx, tx, t, row.Message, req.GetOwners()); err != nil {
			return nil, err
		}
		if req.GetStartTime() != nil {
			row.Message.StartTime = req.GetStartTime()
			if err := Implementations.Save(ctx, tx, s.Store, row.Message, row.Revision, resource.Meta{Cause: "template " + t.GetId()}); err != nil {
				return nil, err
			}
		}
		return &implementationv1.ApplyTemplateResponse{StageCount: count(len(t.GetStages())), TaskCount: count(len(t.GetTasks()))}, nil
	})
}

func findTemplate(id string) (*implementationv1.PlanTemplate, error) {
	all, err := template.All()
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(all))
	for i, t := range all {
		if ids[i] = t.GetId(); ids[i] == id {
			return t, nil
		}
	}
	return nil, fault.NotFound(ReasonTemplateNotFound, "there is no template %s; there are %s", quoted(id), strings.Join(ids, ", "))
}

// place makes the ids of a template names of a plan, and stores what it becomes.
func (s *Store) place(ctx context.Context, tx *sqldb.Tx, t *implementationv1.PlanTemplate, i *implementationv1.Implementation, owners map[string]string) error {
	plan := i.GetName()
	owner := func(role string) string {
		if role == sponsorRole {
			return cmp.Or(owners[role], i.GetSponsor(), i.GetOwner())
		}
		return cmp.Or(owners[role], i.GetOwner())
	}
	stages, tasks := make([]string, len(t.GetStages())), make([]string, len(t.GetTasks()))
	for n, stage := range t.GetStages() {
		stage.Name = Stages.Name(plan, stage.GetName())
		stages[n] = stage.GetName()
		for k, id := range stage.GetPredecessors() {
			stage.Predecessors[k] = Stages.Name(plan, id)
		}
		for _, c := range stage.GetExitCriteria() {
			if by := c.GetConfirmation(); by != nil {
				by.Owner = owner(by.GetOwner())
			}
		}
		lifecycle.Settle(stage, make([]implementationv1.Stage_State, len(stage.GetPredecessors())), len(stage.GetWaitsFor()) == 0)
	}
	for n, task := range t.GetTasks() {
		task.Name, task.Stage = Tasks.Name(plan, task.GetName()), Stages.Name(plan, task.GetStage())
		task.State, task.Owner = implementationv1.Task_TODO, owner(task.GetLabels()[template.RoleLabel])
		tasks[n] = task.GetName()
		for _, d := range task.GetDependencies() {
			d.Predecessor = Tasks.Name(plan, d.GetPredecessor())
		}
	}
	return s.insertPlan(ctx, tx, plan, t, stages, tasks)
}

// insertPlan stores stages after those that are there, and tasks. A name that is taken refuses all of it.
func (s *Store) insertPlan(ctx context.Context, tx *sqldb.Tx, plan string, t *implementationv1.PlanTemplate, stages, tasks []string) error {
	for _, kind := range []struct {
		table string
		names []string
	}{{"stages", stages}, {"tasks", tasks}} {
		found, err := existing(ctx, tx, kind.table, kind.names)
		if err != nil {
			return err
		}
		for _, name := range kind.names {
			if found[name] {
				return fault.AlreadyExists(resource.ReasonAlreadyExists, "%s exists already; the template needs that name, so rename or delete what has it", name).Meta("resource", name)
			}
		}
	}
	var position int32
	if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(position), 0) FROM stages WHERE parent = $1", plan).Scan(&position); err != nil {
		return fmt.Errorf("last stage of %s: %w", plan, err)
	}
	if err := roomFor(ctx, tx, plan, len(tasks)); err != nil {
		return err
	}
	for _, stage := range t.GetStages() {
		stage.Position += position
		if err := Stages.Insert(ctx, tx, s.Store, stage, resource.Meta{Cause: "template " + t.GetId()}); err != nil {
			return err
		}
	}
	return s.insertTasks(ctx, tx, plan, t.GetTasks(), "batchCreated")
}
