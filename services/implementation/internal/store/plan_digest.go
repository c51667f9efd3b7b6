package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	"github.com/golive-dev/golive/services/implementation/internal/plan"
)

// planAsOf reads a plan as it is stored, to be looked at as of a moment or as of
// now, with the digest of what was read and of that moment.
func (s *Store) planAsOf(ctx context.Context, implementation string, asOf *timestamppb.Timestamp) (in plan.Input, digest string, err error) {
	err = s.DB().Snapshot(ctx, func(ctx context.Context, q sqldb.Queryer) error {
		all := map[string]plan.Input{}
		if err := s.planInputs(ctx, q, []string{implementation}, all); err != nil {
			return err
		}
		var known bool
		if in, known = all[implementation]; !known {
			_, err := Implementations.Load(ctx, q, implementation) // says that it does not exist
			return err
		}
		if asOf != nil {
			if in.Now = moment(asOf); in.Now.Year() < 1970 || in.Now.Year() > 9000 {
				return fault.Invalid(resource.ReasonInvalidField, "as_of_time is in the year %d; give a moment from 1970 to 9000", in.Now.Year()).
					Field("as_of_time", "must be from 1970 to 9000")
			}
		}
		digest, err = planDigest(ctx, q, implementation, in.Now)
		return err
	})
	return in, digest, err
}

// planDigest is the SHA-256 of everything that a plan is computed of: the moment, and name and digest of the
// stored bytes of the implementation, its stages and tasks and the resources that are assigned.
func planDigest(ctx context.Context, q sqldb.Queryer, implementation string, asOf time.Time) (string, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT 1 AS kind, name, digest FROM implementations WHERE name = $1
		UNION ALL SELECT 2, name, digest FROM stages WHERE parent = $1
		UNION ALL SELECT 3, name, digest FROM tasks WHERE parent = $1
		UNION ALL SELECT 4, name, digest FROM resources WHERE name IN (
			SELECT a.resource FROM tasks t JOIN task_assignments a ON a.task = t.name WHERE t.parent = $1)
		ORDER BY 1, 2`, implementation)
	sum := sha256.New()
	sum.Write(binary.BigEndian.AppendUint64(nil, uint64(asOf.UnixMicro())))
	_, err = sqldb.Collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var (
			kind         int
			name         string
			storedDigest sql.RawBytes
		)
		if err := rows.Scan(&kind, &name, &storedDigest); err != nil {
			return none, err
		}
		sum.Write(fmt.Appendf(nil, "%d %s\n", kind, name))
		sum.Write(storedDigest)
		return none, nil
	})
	if err != nil {
		return "", fmt.Errorf("digest of the plan of %s: %w", implementation, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
