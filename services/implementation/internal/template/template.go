// Package template holds the plans to start from that come with the product:
// stages with exit criteria, tasks with three-point estimates and links. They
// are the files in folder plans, written for people; [All] is what the API says of them.
package template

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

//go:embed plans/*.yaml
var plans embed.FS

// RoleLabel is the label of a task that says which role it is meant for.
const RoleLabel = "role"

// document is a file in folder plans.
type document struct {
	ID          string            `yaml:"id"`
	Name        string            `yaml:"name"`
	Description string            `yaml:"description"`
	Roles       map[string]string `yaml:"roles"` // id → what it does
	Stages      []stage           `yaml:"stages"`
}

type stage struct {
	ID    string      `yaml:"id"`
	Name  string      `yaml:"name"`
	After []string    `yaml:"after"`
	Exit  []criterion `yaml:"exit"`
	Tasks []task      `yaml:"tasks"`
}

// criterion is met by a person's word, or by the tasks of the stage where nobody is named.
type criterion struct {
	ID      string `yaml:"id"`
	Name    string `yaml:"name"`
	Confirm string `yaml:"confirm"`
}

// task is a milestone where it has no days.
type task struct {
	ID    string `yaml:"id"`
	Name  string `yaml:"name"`
	Role  string `yaml:"role"`
	Days  string `yaml:"days"`  // optimistic, likely, pessimistic: `2d 3d 5d`
	After string `yaml:"after"` // as a file of tasks has predecessors
	Note  string `yaml:"note"`
}

// All returns the templates in the order of their ids. They are the caller's own.
func All() ([]*implementationv1.PlanTemplate, error) {
	all, err := parsed()
	copies := make([]*implementationv1.PlanTemplate, len(all))
	for i, t := range all {
		copies[i] = proto.CloneOf(t)
	}
	return copies, err
}

var parsed = sync.OnceValues(func() ([]*implementationv1.PlanTemplate, error) {
	paths, err := fs.Glob(plans, "plans/*.yaml")
	if err != nil {
		return nil, err
	}
	all := make([]*implementationv1.PlanTemplate, 0, len(paths))
	for _, path := range paths {
		data, err := plans.ReadFile(path)
		if err != nil {
			return nil, err
		}
		t, err := Parse(data)
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", path, err)
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *implementationv1.PlanTemplate) int { return strings.Compare(a.GetId(), b.GetId()) })
	return all, nil
})

// Parse reads a template.
func Parse(data []byte) (*implementationv1.PlanTemplate, error) {
	var d document
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&d); err != nil {
		return nil, err
	}
	t := &implementationv1.PlanTemplate{Id: d.ID, DisplayName: d.Name, Description: strings.TrimSpace(d.Description)}
	counts := make(map[string]int32, len(d.Roles))
	for i, s := range d.Stages {
		t.Stages = append(t.Stages, s.message(int32(i+1)))
		for _, one := range s.Tasks {
			if _, known := d.Roles[one.Role]; !known {
				return nil, fmt.Errorf("task %s: there is no role %q", one.ID, one.Role)
			}
			counts[one.Role]++
			m, err := one.message(s.ID)
			if err != nil {
				return nil, fmt.Errorf("task %s: %w", one.ID, err)
			}
			t.Tasks = append(t.Tasks, m)
		}
	}
	for id, does := range d.Roles {
		t.Roles = append(t.Roles, &implementationv1.TemplateRole{Id: id, DisplayName: does, TaskCount: counts[id]})
	}
	var err error
	if t.DurationMinutes, err = takes(t); err != nil {
		return nil, err
	}
	slices.SortFunc(t.GetRoles(), func(a, b *implementationv1.TemplateRole) int { return strings.Compare(a.GetId(), b.GetId()) })
	return t, nil
}

// takes is how long a template takes by the critical path, which also proves that it can be scheduled.
func takes(t *implementationv1.PlanTemplate) (int64, error) {
	monday := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	p, err := plan.New(plan.Input{
		Implementation: &implementationv1.Implementation{StartTime: timestamppb.New(monday)},
		Stages:         t.GetStages(), Tasks: t.GetTasks(),
	})
	if err != nil {
		return 0, err
	}
	return p.Schedule().GetDurationMinutes(), nil
}

func (s stage) message(position int32) *implementationv1.Stage {
	m := &implementationv1.Stage{Name: s.ID, DisplayName: s.Name, Position: position, Predecessors: s.After}
	for _, c := range s.Exit {
		e := &implementationv1.ExitCriterion{Id: c.ID, DisplayName: c.Name, Type: &implementationv1.ExitCriterion_TasksDone{TasksDone: &implementationv1.TasksDone{}}}
		if c.Confirm != "" {
			e.Type = &implementationv1.ExitCriterion_Confirmation{Confirmation: &implementationv1.PersonConfirms{Owner: c.Confirm}}
		}
		m.ExitCriteria = append(m.ExitCriteria, e)
	}
	return m
}

func (t task) message(stage string) (*implementationv1.Task, error) {
	m := &implementationv1.Task{
		Name: t.ID, DisplayName: t.Name, Stage: stage, Description: t.Note,
		Milestone: t.Days == "", Labels: map[string]string{RoleLabel: t.Role},
	}
	if !m.GetMilestone() {
		parts := strings.Fields(t.Days)
		if len(parts) != 3 {
			return nil, fmt.Errorf("%q are not three durations", t.Days)
		}
		var minutes [3]int32
		for i, part := range parts {
			var err error
			if minutes[i], err = sheet.Minutes(part); err != nil {
				return nil, fmt.Errorf("%q %w", part, err)
			}
		}
		m.Estimate = &implementationv1.Estimate{OptimisticMinutes: &minutes[0], LikelyMinutes: minutes[1], PessimisticMinutes: &minutes[2]}
	}
	links, err := sheet.Links(t.After)
	for _, l := range links {
		m.Dependencies = append(m.Dependencies, &implementationv1.Dependency{Predecessor: l.Predecessor, Type: l.Type, LagMinutes: l.Lag})
	}
	return m, err
}
