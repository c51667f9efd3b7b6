// Package erasure forgets a person in every database of the service.
//
//	store: wipe, retire the pseudonym ──▶ every other place ──▶ store: remove the person, complete the receipt
//
// Each step may be repeated, and a sweep repeats what a process left undone, so
// that an erasure that began ends.
package erasure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/golive-dev/golive/pkg/run"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

// sweep is how often what is undone is looked for.
const sweep = time.Minute

// Place is another store that knows something of people.
type Place struct {
	// Data is what it keeps, as receipts say it.
	Data string
	// Forget removes a person, workspaces/…/people/…, and says of how many records. It may be repeated.
	Forget func(ctx context.Context, person string) (int64, error)
}

// Eraser erases people. One a process.
type Eraser struct {
	store  *store.Store
	places []Place
	logger *zap.Logger
}

// New makes an eraser of a store and of the other places.
func New(s *store.Store, logger *zap.Logger, places ...Place) *Eraser {
	return &Eraser{store: s, places: places, logger: logger}
}

// Erase forgets a person and answers the receipt. Where a place does not answer, the receipt is ERASING and the sweep goes on.
func (e *Eraser) Erase(ctx context.Context, req *implementationv1.ErasePersonRequest) (*implementationv1.Erasure, error) {
	receipt, err := e.store.BeginErasure(ctx, req)
	if err != nil || req.GetValidateOnly() {
		return receipt, err
	}
	done, err := e.finish(ctx, receipt.GetName())
	if err != nil {
		e.logger.Warn("an erasure is not complete; trying again", zap.String("erasure", receipt.GetName()), zap.Error(err))
		return receipt, nil // it began, and says that it is not done
	}
	return done, nil
}

func (e *Eraser) finish(ctx context.Context, name string) (*implementationv1.Erasure, error) {
	person := strings.Replace(name, "/erasures/", "/people/", 1)
	items := make([]*implementationv1.ErasedData, len(e.places))
	for i, place := range e.places {
		n, err := place.Forget(ctx, person)
		if err != nil {
			return nil, fmt.Errorf("forget %s: %w", place.Data, err)
		}
		items[i] = &implementationv1.ErasedData{Data: place.Data, Action: implementationv1.ErasedData_REMOVED, Count: n}
	}
	return e.store.FinishErasure(ctx, name, items)
}

// Run ends what others began, until ctx ends.
func (e *Eraser) Run(ctx context.Context) error {
	run.Every(ctx, sweep, func(ctx context.Context) {
		if err := e.resume(ctx); err != nil && ctx.Err() == nil {
			e.logger.Warn("erasures are not complete; trying again", zap.Error(err))
		}
	})
	return nil
}

func (e *Eraser) resume(ctx context.Context) (all error) {
	open, err := e.store.OpenErasures(ctx)
	if err != nil {
		return err
	}
	for _, receipt := range open {
		if _, err := e.finish(ctx, receipt.GetName()); err != nil {
			all = errors.Join(all, fmt.Errorf("%s: %w", receipt.GetName(), err))
		}
	}
	return all
}
