package api

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// MailService answers golive.implementation.v1.MailService.
type MailService struct {
	implementationv1.UnimplementedMailServiceServer

	store *store.Store
	way   Way
}

// Way is how messages leave; zero where they wait to be handed over.
type Way struct{ Server, From, TLS string }

// NewMailService serves the store.
func NewMailService(s *store.Store, way Way) *MailService { return &MailService{store: s, way: way} }

// GetMail reads one, without its words.
func (a *MailService) GetMail(ctx context.Context, req *implementationv1.GetMailRequest) (*implementationv1.Mail, error) {
	return a.store.Mail(ctx, req.GetName())
}

// ListMails reads a page, without their words.
func (a *MailService) ListMails(ctx context.Context, req *implementationv1.ListMailsRequest) (*implementationv1.ListMailsResponse, error) {
	all, next, err := a.store.ListMail(ctx, req)
	return &implementationv1.ListMailsResponse{Mails: all, NextPageToken: next}, err
}

// InvitePeople writes to people who are to take a training.
func (a *MailService) InvitePeople(ctx context.Context, req *implementationv1.InvitePeopleRequest) (*implementationv1.InvitePeopleResponse, error) {
	return a.store.Invite(ctx, req)
}

// RemindPeople writes to them again.
func (a *MailService) RemindPeople(ctx context.Context, req *implementationv1.RemindPeopleRequest) (*implementationv1.RemindPeopleResponse, error) {
	return a.store.Remind(ctx, req)
}

// HandOverMails answers messages that wait as a file.
func (a *MailService) HandOverMails(ctx context.Context, req *implementationv1.HandOverMailsRequest) (*implementationv1.HandOverMailsResponse, error) {
	return a.store.HandOverMail(ctx, req)
}

// RecordBounce notes that one came back.
func (a *MailService) RecordBounce(ctx context.Context, req *implementationv1.RecordBounceRequest) (*implementationv1.Mail, error) {
	return a.store.RecordBounce(ctx, req)
}

// CheckMail tells how messages leave, and how many wait.
func (a *MailService) CheckMail(ctx context.Context, req *implementationv1.CheckMailRequest) (*implementationv1.CheckMailResponse, error) {
	n, oldest, err := a.store.MailQueue(ctx, req.GetParent())
	if err != nil {
		return nil, err
	}
	answer := &implementationv1.CheckMailResponse{
		Sending: a.way.Server != "", Server: a.way.Server, From: a.way.From, Tls: a.way.TLS, QueuedCount: n,
	}
	if n > 0 {
		answer.OldestTime = timestamppb.New(oldest)
	}
	return answer, nil
}
