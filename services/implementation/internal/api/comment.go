package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// CommentService answers golive.implementation.v1.CommentService.
type CommentService struct {
	implementationv1.UnimplementedCommentServiceServer

	store *store.Store
}

// NewCommentService serves the store.
func NewCommentService(s *store.Store) *CommentService { return &CommentService{store: s} }

// CreateComment creates one.
func (a *CommentService) CreateComment(ctx context.Context, req *implementationv1.CreateCommentRequest) (*implementationv1.Comment, error) {
	return store.Comments.Create(ctx, a.store.Store, req)
}

// GetComment reads one.
func (a *CommentService) GetComment(ctx context.Context, req *implementationv1.GetCommentRequest) (*implementationv1.Comment, error) {
	return store.Comments.Get(ctx, a.store.Store, req)
}

// ListComments reads a page.
func (a *CommentService) ListComments(ctx context.Context, req *implementationv1.ListCommentsRequest) (*implementationv1.ListCommentsResponse, error) {
	all, next, err := store.Comments.List(ctx, a.store.Store, req)
	return &implementationv1.ListCommentsResponse{Comments: all, NextPageToken: next}, err
}

// DeleteComment removes one.
func (a *CommentService) DeleteComment(ctx context.Context, req *implementationv1.DeleteCommentRequest) (*emptypb.Empty, error) {
	return store.Comments.Delete(ctx, a.store.Store, req)
}
