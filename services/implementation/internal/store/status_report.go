package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
	"github.com/golive-dev/golive/services/implementation/internal/weekly"
)

// StatusReport writes the report of a week.
func (s *Store) StatusReport(ctx context.Context, req *implementationv1.ComputeStatusReportRequest) (*implementationv1.StatusReport, error) {
	facts, err := s.reportFacts(ctx, req.GetParent(), req.GetWeek())
	if err != nil {
		return nil, err
	}
	markdown := weekly.Markdown(facts)
	title := cmp.Or(facts.Implementation.GetDisplayName(), facts.Implementation.GetName()) + " " + facts.Week.String()
	html, err := weekly.HTML(title, markdown)
	if err != nil {
		return nil, err
	}
	return &implementationv1.StatusReport{
		Implementation: req.GetParent(), Week: facts.Week.String(), Markdown: markdown, Html: html, AsOf: timestamppb.New(facts.Now),
		StartTime: timestamppb.New(facts.Week.Start), EndTime: timestamppb.New(facts.Week.End),
	}, nil
}

func (s *Store) reportFacts(ctx context.Context, name, week string) (f weekly.Facts, err error) {
	in, err := s.PlanInput(ctx, name)
	if err != nil {
		return f, err
	}
	zone := time.UTC
	if given := in.Implementation.GetCalendar().GetTimeZone(); given != "" {
		if zone, err = time.LoadLocation(given); err != nil {
			return f, fmt.Errorf("time zone of %s: %w", name, err)
		}
	}
	f.Implementation, f.Now = in.Implementation, s.Now()
	if f.Week, err = weekly.ParseWeek(week, f.Now, zone); err != nil {
		return f, err
	}
	p, err := plan.New(in)
	if err != nil {
		return f, err
	}
	f.Schedule, f.Tasks = p.Schedule(), make(map[string]*implementationv1.Task, len(in.Tasks))
	for _, task := range in.Tasks {
		f.Tasks[task.GetName()] = task
	}
	if f.Readiness, err = s.ReadinessOf(ctx, name); err != nil {
		return f, err
	}
	open := fmt.Sprintf("WHERE parent = $1 AND state IN (%d, %d, %d) ORDER BY critical DESC, severity DESC, name LIMIT 100",
		implementationv1.Challenge_OPEN, implementationv1.Challenge_MITIGATING, implementationv1.Challenge_SUGGESTED)
	if f.Challenges, err = Challenges.Select(ctx, s.DB().Read(), open, name); err != nil {
		return f, err
	}
	f.Benefits, err = s.Benefits(ctx, &implementationv1.ComputeBenefitsRequest{Parent: name})
	return f, err
}
