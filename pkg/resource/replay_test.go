package resource_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/pgtest"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/resource/internal/librarypb"
	"github.com/golive-dev/golive/pkg/sqldb"
)

func createDune(id string) *librarypb.CreateBookRequest {
	return &librarypb.CreateBookRequest{Parent: shelf, Book: dune(), RequestId: id}
}

func TestTheSameRequestAgainAnswersTheSame(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		first, err := l.books.Create(t.Context(), l.store, createDune("r1"))
		require.NoError(t, err)

		// Though the resource went on since, and the name was the server's choice.
		change := &librarypb.UpdateBookRequest{Book: &librarypb.Book{Name: first.GetName(), Pages: 1, Etag: first.GetEtag()}, RequestId: "r2"}
		second, err := l.books.Update(t.Context(), l.store, change)
		require.NoError(t, err)
		l.advance(23 * time.Hour)
		again, err := l.books.Create(t.Context(), l.store, createDune("r1"))
		require.NoError(t, err)
		require.Truef(t, proto.Equal(first, again), "%v", again)

		// An update whose etag is stale by now is answered too.
		again, err = l.books.Update(t.Context(), l.store, change)
		require.NoError(t, err)
		require.Truef(t, proto.Equal(second, again), "%v", again)

		for range 2 {
			_, err = l.books.Delete(t.Context(), l.store, &librarypb.DeleteBookRequest{Name: first.GetName(), RequestId: "r3"})
			require.NoError(t, err)
		}
		require.Len(t, l.events(bookName("")), 3, "each was done once")
		require.EqualValues(t, 2, l.written.Load())
	})
}

func TestAnotherRequestUnderTheSameIDIsRefused(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		first, err := l.books.Create(as(t.Context(), "users/ann"), l.store, createDune("r1"))
		require.NoError(t, err)

		other := createDune("r1")
		other.Book.Isbn, other.Book.Pages = "2", 1
		_, err = l.books.Create(as(t.Context(), "users/ann"), l.store, other)
		require.Equal(t, []string{"request_id"}, fieldsOf(refused(t, err, fault.KindConflict, "REQUEST_ID_REUSED")))

		// The id is in the scope of the principal, the method and the workspace.
		_, err = l.books.Create(as(t.Context(), "users/bob"), l.store, other)
		require.NoError(t, err)
		_, err = l.books.Delete(as(t.Context(), "users/ann"), l.store, &librarypb.DeleteBookRequest{Name: first.GetName(), RequestId: "r1"})
		require.NoError(t, err)

		_, err = l.books.Create(t.Context(), l.store, createDune(string(make([]byte, 200))))
		refused(t, err, fault.KindInvalid, "INVALID_REQUEST_ID")
	})
}

func TestAnswersAreForgottenAfterADay(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		_, err := l.books.Create(t.Context(), l.store, createDune("r1"))
		require.NoError(t, err)
		l.advance(24 * time.Hour)
		fresh := createDune("r1")
		fresh.Book.Isbn = "2"
		_, err = l.books.Create(t.Context(), l.store, fresh)
		require.NoError(t, err, "what has expired gives way, purged or not")
		again, err := l.books.Create(t.Context(), l.store, fresh)
		require.NoError(t, err)
		require.Equal(t, "2", again.GetIsbn())

		l.advance(time.Hour)
		for range 1200 { // more than one transaction's worth
			_, err := resource.Do(t.Context(), l.store, &librarypb.LendBookRequest{Name: bookName("x"), RequestId: time.Duration(l.elapsed.Add(1)).String()},
				func(context.Context, *sqldb.Tx) (*librarypb.Book, error) { return &librarypb.Book{}, nil })
			require.NoError(t, err)
		}
		l.advance(23*time.Hour + time.Minute)
		purged, err := l.store.PurgeRequests(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, purged)
		l.advance(time.Hour)
		purged, err = l.store.PurgeRequests(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1200, purged)
	})
}

func TestARequestThatFailedIsNotRemembered(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		bad := createDune("r1")
		bad.Book.Title = ""
		_, err := l.books.Create(t.Context(), l.store, bad)
		refused(t, err, fault.KindInvalid, "REQUIRED_FIELD")
		_, err = l.books.Create(t.Context(), l.store, createDune("r1"))
		require.NoError(t, err)
	})
}

func TestTheSameRequestAtTheSameTimeIsDoneOnce(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		const rounds, callers = 5, 16
		for round := range rounds {
			req := createDune("r" + time.Duration(round).String())
			req.Book.Isbn = req.GetRequestId() // unique: the second to write violates it
			answers := make([]*librarypb.Book, callers)
			errs := make([]error, callers)
			var all sync.WaitGroup
			for i := range callers {
				all.Go(func() { answers[i], errs[i] = l.books.Create(t.Context(), l.store, proto.CloneOf(req)) })
			}
			all.Wait()
			for i := range callers {
				require.NoError(t, errs[i])
				require.Truef(t, proto.Equal(answers[0], answers[i]), "all get one answer")
			}
		}
		require.Len(t, l.events(bookName("")), rounds)
	})
}

func TestACustomVerbIsReplayedAndValidatedLikeAStandardOne(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		l.add("dune", dune())
		lend := func(req *librarypb.LendBookRequest) (*librarypb.Book, error) {
			return resource.Do(t.Context(), l.store, req, func(ctx context.Context, tx *sqldb.Tx) (*librarypb.Book, error) {
				row, err := l.books.LockRow(ctx, tx, req.GetName())
				if err != nil {
					return nil, err
				}
				if row.Message.GetState() == librarypb.Book_LENT {
					return nil, fault.Precondition("LENT", "the book is lent")
				}
				row.Message.State = librarypb.Book_LENT
				return row.Message, l.books.Save(ctx, tx, l.store, row.Message, row.Revision, resource.Meta{Verb: "lent"})
			})
		}
		would, err := lend(&librarypb.LendBookRequest{Name: bookName("dune"), ValidateOnly: true})
		require.NoError(t, err)
		require.Equal(t, librarypb.Book_LENT, would.GetState())
		require.Equal(t, librarypb.Book_AVAILABLE, l.get("dune").GetState())

		did, err := lend(&librarypb.LendBookRequest{Name: bookName("dune"), RequestId: "r"})
		require.NoError(t, err)
		again, err := lend(&librarypb.LendBookRequest{Name: bookName("dune"), RequestId: "r"})
		require.NoError(t, err)
		require.Truef(t, proto.Equal(did, again), "%v", again)
		_, err = lend(&librarypb.LendBookRequest{Name: bookName("dune"), RequestId: "s"})
		refused(t, err, fault.KindPrecondition, "LENT")
		_, err = lend(&librarypb.LendBookRequest{Name: bookName("none"), RequestId: "r"})
		refused(t, err, fault.KindConflict, "REQUEST_ID_REUSED")
	})
}

func TestValidateOnlyAnswersAndChangesNothing(t *testing.T) {
	pgtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db)
		req := createDune("r1")
		req.BookId, req.ValidateOnly = "dune", true
		would, err := l.books.Create(t.Context(), l.store, req)
		require.NoError(t, err)
		require.Equal(t, bookName("dune"), would.GetName())
		require.EqualValues(t, 1, would.GetRevision())
		require.NotEmpty(t, would.GetEtag())
		_, err = l.books.Get(t.Context(), l.store, &librarypb.GetBookRequest{Name: would.GetName()})
		refused(t, err, fault.KindNotFound, "RESOURCE_NOT_FOUND")

		req.ValidateOnly = false
		did, err := l.books.Create(t.Context(), l.store, req)
		require.NoError(t, err, "the id of a request that changed nothing is free")

		req.RequestId, req.ValidateOnly = "", true
		_, err = l.books.Create(t.Context(), l.store, req)
		refused(t, err, fault.KindAlreadyExists, "ALREADY_EXISTS")

		after, err := l.books.Update(t.Context(), l.store, &librarypb.UpdateBookRequest{
			Book: &librarypb.Book{Name: did.GetName(), Pages: 7}, ValidateOnly: true,
		})
		require.NoError(t, err)
		require.EqualValues(t, 7, after.GetPages())
		require.EqualValues(t, 2, after.GetRevision())
		_, err = l.books.Delete(t.Context(), l.store, &librarypb.DeleteBookRequest{Name: did.GetName(), ValidateOnly: true})
		require.NoError(t, err)
		require.Truef(t, proto.Equal(did, l.get("dune")), "nothing changed")
		require.Len(t, l.events(bookName("")), 1)
	})
}
