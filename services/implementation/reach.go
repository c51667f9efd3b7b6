package implementation

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/golive-dev/golive/pkg/run"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/api"
	"github.com/golive-dev/golive/services/implementation/internal/contact"
	"github.com/golive-dev/golive/services/implementation/internal/courier"
	"github.com/golive-dev/golive/services/implementation/internal/erasure"
)

// SMTP is how messages to people leave; where its address is empty they wait until somebody takes them.
type SMTP = courier.SMTP

// orphans is how often contacts of people who are gone are looked for.
const orphans = time.Hour

// reach is what knows how people are reached: the contacts in a database of their own, who sends, and who forgets.
type reach struct {
	db       *sqldb.DB
	contacts *contact.Store
	post     *courier.Post
	courier  *courier.Courier
	eraser   *erasure.Eraser
}

// contactsBeside is where contacts are kept when nothing else is said: contacts.db in the folder of an SQLite file, a schema of their own on PostgreSQL.
func contactsBeside(main sqldb.Config) sqldb.Config {
	main.Synchronous, main.Schema = "", main.Schema+"_contacts"
	if file, ok := strings.CutPrefix(main.URL, "sqlite:"); ok {
		main.URL = "sqlite:" + filepath.Join(filepath.Dir(file), "contacts.db")
	}
	return main
}

// openReach opens the contacts and puts together who uses them. The rest of the service exists by now.
func (s *Service) openReach(ctx context.Context, cfg Config) (*reach, error) {
	if cfg.Contacts.URL == "" {
		cfg.Contacts = contactsBeside(cfg.Database)
	}
	post, err := courier.NewPost(cfg.Mail, cfg.Logger)
	if err != nil {
		return nil, fmt.Errorf("settings of mail: %w", err)
	}
	db, err := sqldb.Open(ctx, cfg.Contacts)
	if err != nil {
		return nil, fmt.Errorf("open the database of contacts: %w", err)
	}
	r := &reach{db: db, post: post}
	if r.contacts, err = contact.New(ctx, db, s.store.KnownPeople, cfg.Clock); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	r.courier = courier.New(s.store, r.contacts, post, cfg.Logger)
	r.eraser = erasure.New(s.store, cfg.Logger,
		erasure.Place{Data: "contact", Forget: r.contacts.Forget}, erasure.Place{Data: "usage", Forget: s.store.ForgetSubject})
	if cfg.Registry != nil {
		if err := cfg.Registry.Register(r.courier); err != nil {
			return nil, errors.Join(fmt.Errorf("register metrics: %w", err), db.Close())
		}
	}
	return r, nil
}

func (s *Service) registerReach(r grpc.ServiceRegistrar) {
	var way api.Way
	if s.reach.post != nil {
		way = api.Way{Server: s.reach.post.Address, From: s.reach.post.From, TLS: s.reach.post.TLS}
	}
	implementationv1.RegisterStakeholderServiceServer(r, api.NewStakeholderService(s.store))
	implementationv1.RegisterCommunicationServiceServer(r, api.NewCommunicationService(s.store))
	implementationv1.RegisterContactServiceServer(r, api.NewContactService(s.reach.contacts))
	implementationv1.RegisterMailServiceServer(r, api.NewMailService(s.store, way))
	implementationv1.RegisterErasureServiceServer(r, api.NewErasureService(s.store, s.reach.eraser))
}

// runReach does what is done without being asked, until ctx ends.
func (s *Service) runReach(ctx context.Context) error {
	return run.All(ctx,
		run.Part{Name: "contacts", Run: s.sweepContacts},
		run.Part{Name: "erasures", Run: s.reach.eraser.Run},
		run.Part{Name: "courier", Run: s.reach.courier.Run},
	)
}

// sweepContacts removes the contacts of people who are gone.
func (s *Service) sweepContacts(ctx context.Context) error {
	run.Every(ctx, orphans, func(ctx context.Context) {
		if err := s.reach.contacts.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.logger.Warn("contacts of people who are gone not removed; trying again later", zap.Error(err))
		}
	})
	return nil
}
