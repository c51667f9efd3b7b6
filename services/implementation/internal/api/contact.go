package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/contact"
)

// ContactService answers golive.implementation.v1.ContactService.
type ContactService struct {
	implementationv1.UnimplementedContactServiceServer

	contacts *contact.Store
}

// NewContactService serves the contacts, which no other service here sees.
func NewContactService(s *contact.Store) *ContactService { return &ContactService{contacts: s} }

// GetContact reads one.
func (a *ContactService) GetContact(ctx context.Context, req *implementationv1.GetContactRequest) (*implementationv1.Contact, error) {
	return a.contacts.Get(ctx, req.GetName())
}

// ListContacts reads a page.
func (a *ContactService) ListContacts(ctx context.Context, req *implementationv1.ListContactsRequest) (*implementationv1.ListContactsResponse, error) {
	all, next, err := a.contacts.List(ctx, req)
	return &implementationv1.ListContactsResponse{Contacts: all, NextPageToken: next}, err
}

// SetContact says where a person is reached.
func (a *ContactService) SetContact(ctx context.Context, req *implementationv1.SetContactRequest) (*implementationv1.Contact, error) {
	return a.contacts.Set(ctx, req)
}

// OptOutContact ends mail to a person.
func (a *ContactService) OptOutContact(ctx context.Context, req *implementationv1.OptOutContactRequest) (*implementationv1.Contact, error) {
	return a.contacts.OptOut(ctx, req, true)
}

// OptInContact allows it again.
func (a *ContactService) OptInContact(ctx context.Context, req *implementationv1.OptInContactRequest) (*implementationv1.Contact, error) {
	return a.contacts.OptOut(ctx, req, false)
}

// DeleteContact forgets where a person is reached.
func (a *ContactService) DeleteContact(ctx context.Context, req *implementationv1.DeleteContactRequest) (*emptypb.Empty, error) {
	return a.contacts.Delete(ctx, req)
}

// ImportContacts reads a file.
func (a *ContactService) ImportContacts(ctx context.Context, req *implementationv1.ImportContactsRequest) (*implementationv1.ImportResult, error) {
	return a.contacts.Import(ctx, req)
}
