package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/auth"
	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/feed"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

const (
	// redeemAgain is for how long after its redemption a token answers the same
	// key, past its own end too: the first answer may have been lost.
	redeemAgain = 10 * time.Minute
	// keepTokens is how long an ended token is remembered, to say that it was used or ended.
	keepTokens = 30 * 24 * time.Hour
)

// AddJoinToken stores what a token lets in, under the hash of its secret. The
// targets and the environment must exist. The event tells who asked, and no secret.
func (s *Store) AddJoinToken(ctx context.Context, hash [sha256.Size]byte, agent, actor string, req *deploymentv1.CreateJoinTokenRequest, expires time.Time) error {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return fmt.Errorf("encode join token: %w", err)
	}
	return s.DB.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		known, err := Targets.LoadMany(ctx, tx, req.GetTargets())
		if err != nil {
			return err
		}
		for _, target := range req.GetTargets() {
			if known[target] == nil {
				return fault.NotFound(resource.ReasonNotFound, "target %q does not exist; create it first, or name an environment", target).
					Meta("resource", target).Field("targets", target+" does not exist")
			}
		}
		if e := req.GetEnvironment(); e != "" {
			if err := Environments.Required(ctx, tx, e); err != nil {
				return err
			}
		}
		now := s.Now()
		if _, err := tx.ExecContext(ctx, `DELETE FROM join_tokens WHERE expire_time < $1`, now.Add(-keepTokens).UnixMicro()); err != nil {
			return fmt.Errorf("forget old join tokens: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO join_tokens (secret_hash, agent, request, created_by, expire_time)
			VALUES ($1, $2, $3, $4, $5)`, hash[:], agent, data, actor, expires.UnixMicro()); err != nil {
			return fmt.Errorf("store join token of %s: %w", agent, err)
		}
		return s.Log.Append(ctx, tx, feed.Record{Resource: agent, Type: "deployment.agent.invited", Actor: actor, Time: now})
	})
}

// Redemption is what an agent brings to redeem a token.
type Redemption struct {
	// Hash is of the token's secret, Agent who the token says it is for.
	Hash  [sha256.Size]byte
	Agent string
	// Key is the fingerprint of the key that asks.
	Key   [sha256.Size]byte
	Facts *deploymentv1.HostFacts
	// Expires is when the certificate will end.
	Expires time.Time
}

// Redeem lets an agent in and returns the enrolment that its certificates
// name. The same key may ask again; it gets the same enrolment, and nothing changes.
// Errors: JOIN_TOKEN_INVALID, JOIN_TOKEN_EXPIRED, JOIN_TOKEN_USED.
func (s *Store) Redeem(ctx context.Context, r Redemption) (enrolment string, err error) {
	enrolment = hex.EncodeToString(r.Hash[:16])
	err = s.DB.Tx(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		now := s.Now()
		var data []byte
		err := tx.QueryRowContext(ctx, `UPDATE join_tokens SET redeemed_by = $2, redeem_time = $3
			WHERE secret_hash = $1 AND agent = $4 AND redeemed_by IS NULL AND expire_time > $3 RETURNING request`,
			r.Hash[:], r.Key[:], now.UnixMicro(), r.Agent).Scan(&data)
		if errors.Is(err, sql.ErrNoRows) {
			return s.redeemedBefore(ctx, tx, r, now)
		}
		if err != nil {
			return fmt.Errorf("redeem join token: %w", err)
		}
		req := &deploymentv1.CreateJoinTokenRequest{}
		if err := proto.Unmarshal(data, req); err != nil {
			return fmt.Errorf("decode join token: %w", err)
		}
		return s.enrol(auth.NewContext(ctx, &auth.Principal{Name: r.Agent}), tx, r, enrolment, req) // the token says who it is
	})
	return enrolment, err
}

// redeemedBefore answers nil where the same key redeemed the token a moment ago.
func (s *Store) redeemedBefore(ctx context.Context, tx *sqldb.Tx, r Redemption, now time.Time) error {
	var agent string
	var by []byte
	var expires, redeemed int64
	err := tx.QueryRowContext(ctx, `SELECT agent, redeemed_by, expire_time, redeem_time FROM join_tokens WHERE secret_hash = $1`,
		r.Hash[:]).Scan(&agent, &by, &expires, &redeemed)
	switch {
	case errors.Is(err, sql.ErrNoRows), err == nil && agent != r.Agent:
		return fault.Unauthenticated("JOIN_TOKEN_INVALID",
			"this server knows no such join token; create a new one with `golive agent token`")
	case err != nil:
		return fmt.Errorf("redeem join token: %w", err)
	case by != nil && !bytes.Equal(by, r.Key[:]):
		return fault.Unauthenticated("JOIN_TOKEN_USED",
			"the join token of %s was redeemed by another key at %s; create a new one, and delete the agent if that was not you",
			agent, time.UnixMicro(redeemed).UTC().Format(time.RFC3339))
	case now.UnixMicro() >= max(expires, redeemed+redeemAgain.Microseconds()):
		return fault.Unauthenticated("JOIN_TOKEN_EXPIRED", "the join token of %s ended at %s; create a new one with `golive agent token`",
			agent, time.UnixMicro(expires).UTC().Format(time.RFC3339))
	}
	return nil
}

func (s *Store) enrol(ctx context.Context, tx *sqldb.Tx, r Redemption, enrolment string, req *deploymentv1.CreateJoinTokenRequest) error {
	meta := resource.Meta{Actor: r.Agent, Verb: "enrolled"}
	row, err := Agents.LockRow(ctx, tx, r.Agent)
	agent := row.Message
	switch {
	case fault.Is(err, fault.KindNotFound):
		agent = &deploymentv1.Agent{Name: r.Agent, Facts: r.Facts, CertificateExpireTime: timestamppb.New(r.Expires)}
		err = Agents.Insert(ctx, tx, s.Resources, agent, meta)
	case err == nil:
		agent.Facts, agent.CertificateExpireTime, agent.RevokeTime = r.Facts, timestamppb.New(r.Expires), nil
		err = Agents.Save(ctx, tx, s.Resources, agent, row.Revision, meta)
	}
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO agent_enrolments (agent, enrolment) VALUES ($1, $2)
		ON CONFLICT (agent) DO UPDATE SET enrolment = excluded.enrolment`, r.Agent, enrolment); err != nil {
		return fmt.Errorf("enrol %s: %w", r.Agent, err)
	}
	for _, target := range req.GetTargets() {
		if err := s.SetTargetAgent(ctx, tx, target, r.Agent); err != nil {
			return err
		}
	}
	if req.GetEnvironment() == "" {
		return nil
	}
	return s.enrolTarget(ctx, tx, r, req)
}

// enrolTarget makes the target that a token for an environment promises, or
// takes over the one that has its name.
func (s *Store) enrolTarget(ctx context.Context, tx *sqldb.Tx, r Redemption, req *deploymentv1.CreateJoinTokenRequest) error {
	name := Targets.Name(req.GetEnvironment(), req.GetAgentId())
	err := s.SetTargetAgent(ctx, tx, name, r.Agent)
	if !fault.Is(err, fault.KindNotFound) {
		return err
	}
	if err := Environments.Required(ctx, tx, req.GetEnvironment()); err != nil {
		return err
	}
	return Targets.Insert(ctx, tx, s.Resources, &deploymentv1.Target{
		Name: name, Kind: deploymentv1.Target_SERVER, Labels: req.GetLabels(), Cohorts: req.GetCohorts(), Agent: r.Agent, Facts: r.Facts,
	}, resource.Meta{Actor: r.Agent})
}
