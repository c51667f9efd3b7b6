package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/sqldb"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/sheet"
)

// account is one row: who has, or had, an account in an application.
type account struct {
	application, person string
	since, until        time.Time
}

// RecordProvisionings records who has an account: all of them or none.
func (s *Store) RecordProvisionings(ctx context.Context, req *implementationv1.RecordProvisioningsRequest) (*implementationv1.ImportResult, error) {
	if err := ownName(req.GetParent(), "application", req.GetApplication(), "application"); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ImportResult, error) {
		now, seen := s.Now(), map[string]bool{}
		var all []account
		var people []string
		for i, p := range req.GetProvisionings() {
			since, ok := sheet.NotInFuture(moment(p.GetProvisionTime()).Truncate(time.Microsecond), now, false)
			if !ok {
				return nil, fault.Invalid(ReasonInFuture, "provisionings[%d] lies in the future; record it when it has happened", i).
					Field(fmt.Sprintf("provisionings[%d].provision_time", i), "lies in the future")
			}
			if seen[p.GetPerson()] {
				return nil, fault.Invalid("PERSON_DUPLICATE", "provisionings[%d] names a person again; send each person once", i).
					Field(fmt.Sprintf("provisionings[%d].person", i), "is there twice")
			}
			seen[p.GetPerson()] = true
			people = append(people, p.GetPerson())
			all = append(all, account{application: req.GetApplication(), person: p.GetPerson(), since: since})
		}
		if err := known(ctx, tx, req.GetParent(), people, "provisionings[%d].person"); err != nil {
			return nil, err
		}
		return s.provision(ctx, tx, req.GetParent(), all, "recorded")
	})
}

// RemoveProvisionings records who has no account any more.
func (s *Store) RemoveProvisionings(ctx context.Context, req *implementationv1.RemoveProvisioningsRequest) (*implementationv1.ImportResult, error) {
	if err := ownName(req.GetParent(), "application", req.GetApplication(), "application"); err != nil {
		return nil, err
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ImportResult, error) {
		if err := known(ctx, tx, req.GetParent(), req.GetPeople(), "people[%d]"); err != nil {
			return nil, err
		}
		now := s.Now()
		all := make([]account, len(req.GetPeople()))
		for i, person := range req.GetPeople() {
			all[i] = account{application: req.GetApplication(), person: person, until: now}
		}
		return s.provision(ctx, tx, req.GetParent(), all, "removed")
	})
}

// ImportProvisionings reads accounts from a file: all of them or none.
func (s *Store) ImportProvisionings(ctx context.Context, req *implementationv1.ImportProvisioningsRequest) (*implementationv1.ImportResult, error) {
	workspace, many := req.GetParent(), req.GetApplication() == ""
	if _, err := People.Parse(People.Name(workspace, "x")); err != nil {
		return nil, err
	}
	if !many {
		if err := ownName(workspace, "application", req.GetApplication(), "application"); err != nil {
			return nil, err
		}
	}
	return do(ctx, s, req, func(ctx context.Context, tx *sqldb.Tx) (*implementationv1.ImportResult, error) {
		rows, file, err := sheet.Accounts(req.GetCsv(), req.GetColumns(), workspace, many, s.Now())
		if err != nil {
			return nil, err
		}
		ids, all := make([]member, len(rows)), make([]account, len(rows))
		for i, row := range rows {
			ids[i] = member{row.Line, row.Person}
			all[i] = account{application: req.GetApplication(), person: People.Name(workspace, row.Person), since: row.Since, until: row.Until}
			if many {
				all[i].application = workspace + "/applications/" + row.Application
			}
		}
		if _, err := people(ctx, tx, workspace, ids, file); err != nil || file.Problems.Any() {
			return rejected(file), err
		}
		counts, err := s.provision(ctx, tx, workspace, all, "imported")
		if err != nil {
			return nil, err
		}
		result := readResult(file)
		result.CreatedCount, result.UpdatedCount, result.UnchangedCount = counts.GetCreatedCount(), counts.GetUpdatedCount(), counts.GetUnchangedCount()
		return result, nil
	})
}

// provision stores what is new of the accounts, and tells of it by numbers alone.
func (s *Store) provision(ctx context.Context, tx *sqldb.Tx, workspace string, all []account, verb string) (*implementationv1.ImportResult, error) {
	slices.SortFunc(all, func(a, b account) int { // one order of locks
		return slices.Compare([]string{a.application, a.person}, []string{b.application, b.person})
	})
	now := s.Now()
	result := &implementationv1.ImportResult{RowCount: count(len(all))}
	for part := range slices.Chunk(all, chunk) {
		before, err := accounts(ctx, tx, part)
		if err != nil {
			return nil, err
		}
		changed := make([]account, 0, len(part))
		for _, a := range part {
			old, there := before[[2]string{a.application, a.person}]
			next, moved := old.with(a, there, now)
			switch {
			case !moved:
				result.UnchangedCount++
				continue
			case there:
				result.UpdatedCount++
			default:
				result.CreatedCount++
			}
			changed = append(changed, next)
		}
		if err := saveAccounts(ctx, tx, changed); err != nil {
			return nil, err
		}
	}
	if result.GetUnchangedCount() == result.GetRowCount() {
		return result, nil
	}
	return result, s.tell(ctx, tx, feed.Record{Resource: workspace + "/provisionings", Type: "implementation.provisioning." + verb, After: result})
}

// with is the account after news of it. News of an account that is there, without a time, are none; so is the end of one that is not.
func (a account) with(news account, there bool, now time.Time) (account, bool) {
	open := there && a.until.IsZero()
	switch {
	case news.since.IsZero() && !news.until.IsZero() && !open, news.since.IsZero() && news.until.IsZero() && open:
		return a, false
	case news.since.IsZero() && open:
		news.since = a.since
	case news.since.IsZero():
		news.since = now
	}
	if !news.until.IsZero() && news.until.Before(news.since) {
		news.until = news.since
	}
	return news, !there || !a.since.Equal(news.since) || !a.until.Equal(news.until)
}

// accounts reads those that are there.
func accounts(ctx context.Context, q sqldb.Queryer, some []account) (map[[2]string]account, error) {
	found := make(map[[2]string]account, len(some))
	byApplication := map[string][]string{}
	for _, a := range some {
		byApplication[a.application] = append(byApplication[a.application], a.person)
	}
	for name, people := range byApplication {
		rows, err := q.QueryContext(ctx, "SELECT application, person, provision_time, revoke_time FROM provisionings WHERE application = $1 AND person IN ("+
			sqldb.Marks(2, len(people))+")", append([]any{name}, sqldb.Texts(people)...)...)
		_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
			var a account
			var since, until int64
			err = rows.Scan(&a.application, &a.person, &since, &until)
			a.since, a.until = fromMicros(since), fromMicros(until)
			found[[2]string{a.application, a.person}] = a
			return none, err
		})
		if err != nil {
			return nil, fmt.Errorf("read accounts of %s: %w", name, err)
		}
	}
	return found, nil
}

func saveAccounts(ctx context.Context, tx *sqldb.Tx, all []account) error {
	const columns = 4
	for _, size := range []int{20, 1} { // few texts, so that each stays a prepared statement
		text := "INSERT INTO provisionings (application, person, provision_time, revoke_time) VALUES " + sqldb.Tuples(size, columns) +
			" ON CONFLICT (application, person) DO UPDATE SET provision_time = excluded.provision_time, revoke_time = excluded.revoke_time"
		for ; len(all) >= size; all = all[size:] {
			args := make([]any, 0, size*columns)
			for _, a := range all[:size] {
				args = append(args, a.application, a.person, micros(a.since), micros(a.until))
			}
			if _, err := tx.ExecContext(ctx, text, args...); err != nil {
				return fmt.Errorf("store accounts: %w", err)
			}
		}
	}
	return nil
}
