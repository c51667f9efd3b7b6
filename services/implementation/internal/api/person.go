package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// PersonService answers golive.implementation.v1.PersonService.
type PersonService struct {
	implementationv1.UnimplementedPersonServiceServer

	store *store.Store
}

// NewPersonService serves the store.
func NewPersonService(s *store.Store) *PersonService { return &PersonService{store: s} }

// CreatePerson creates one.
func (a *PersonService) CreatePerson(ctx context.Context, req *implementationv1.CreatePersonRequest) (*implementationv1.Person, error) {
	if req.GetPersonId() == "" {
		return nil, fault.Invalid(resource.ReasonRequired, "person_id is required; set it to the pseudonym, which only you know").
			Field("person_id", "is required")
	}
	return store.People.Create(ctx, a.store.Store, req)
}

// GetPerson reads one.
func (a *PersonService) GetPerson(ctx context.Context, req *implementationv1.GetPersonRequest) (*implementationv1.Person, error) {
	return store.People.Get(ctx, a.store.Store, req)
}

// ListPeople reads a page.
func (a *PersonService) ListPeople(ctx context.Context, req *implementationv1.ListPeopleRequest) (*implementationv1.ListPeopleResponse, error) {
	all, next, err := store.People.List(ctx, a.store.Store, req)
	return &implementationv1.ListPeopleResponse{People: all, NextPageToken: next}, err
}

// DeletePerson removes one.
func (a *PersonService) DeletePerson(ctx context.Context, req *implementationv1.DeletePersonRequest) (*emptypb.Empty, error) {
	return store.People.Delete(ctx, a.store.Store, req)
}

// ImportPeople reads a file.
func (a *PersonService) ImportPeople(ctx context.Context, req *implementationv1.ImportPeopleRequest) (*implementationv1.ImportResult, error) {
	return a.store.ImportPeople(ctx, req)
}

// ExportPeople writes a page of a file.
func (a *PersonService) ExportPeople(ctx context.Context, req *implementationv1.ExportPeopleRequest) (*implementationv1.ExportResult, error) {
	return a.store.ExportPeople(ctx, req)
}
