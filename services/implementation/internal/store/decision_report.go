package store

import (
	"cmp"
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/decision"
	"github.com/golive-dev/golive/services/implementation/internal/weekly"
)

// DecisionReport puts a decision on paper.
func (s *Store) DecisionReport(ctx context.Context, name string) (*implementationv1.DecisionReport, error) {
	d, err := s.loadDecision(ctx, name)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	markdown := decision.Report(d, now)
	html, err := weekly.HTML(cmp.Or(d.GetDisplayName(), name), markdown)
	if err != nil {
		return nil, err
	}
	return &implementationv1.DecisionReport{Decision: name, Markdown: markdown, Html: html, AsOf: timestamppb.New(now)}, nil
}
