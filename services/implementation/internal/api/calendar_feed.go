package api

import (
	"context"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// CalendarFeedService answers golive.implementation.v1.CalendarFeedService.
type CalendarFeedService struct {
	implementationv1.UnimplementedCalendarFeedServiceServer

	store *store.Store
}

// NewCalendarFeedService serves the store.
func NewCalendarFeedService(s *store.Store) *CalendarFeedService {
	return &CalendarFeedService{store: s}
}

// ExportCalendarFeed writes the dates of an implementation.
func (a *CalendarFeedService) ExportCalendarFeed(ctx context.Context, req *implementationv1.ExportCalendarFeedRequest) (*implementationv1.ExportCalendarFeedResponse, error) {
	return a.store.CalendarFeed(ctx, req.GetParent())
}
