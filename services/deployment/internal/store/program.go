package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Program is what an agent was last told to run.
type Program struct {
	Version string
	// Generation rises whenever it is told anew.
	Generation int64
	Artifacts  []*deploymentv1.Artifact
}

// SetProgram says what an agent should run. What became of the program before is forgotten.
func (s *Store) SetProgram(ctx context.Context, tx *sqldb.Tx, req *deploymentv1.UpgradeAgentRequest) (*deploymentv1.Agent, error) {
	row, err := Agents.LockRow(ctx, tx, req.GetName())
	if err != nil {
		return nil, err
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return nil, fmt.Errorf("encode program of %s: %w", req.GetName(), err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO agent_programs (agent, generation, request) VALUES ($1, 1, $2)
		ON CONFLICT (agent) DO UPDATE SET generation = agent_programs.generation + 1, request = excluded.request`, req.GetName(), data); err != nil {
		return nil, fmt.Errorf("store program of %s: %w", req.GetName(), err)
	}
	row.Message.DesiredVersion, row.Message.UpdateError = req.GetVersion(), ""
	return row.Message, Agents.Save(ctx, tx, s.Resources, row.Message, row.Revision, resource.Meta{Verb: "upgraded"})
}

// AgentProgram returns what an agent should run; nil where it is to stay as it is.
func (s *Store) AgentProgram(ctx context.Context, agent string) (*Program, error) {
	p := &Program{}
	var data []byte
	err := s.DB.Read().QueryRowContext(ctx, `SELECT generation, request FROM agent_programs WHERE agent = $1`, agent).Scan(&p.Generation, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // none is a state of its own
	}
	if err != nil {
		return nil, fmt.Errorf("look up program of %s: %w", agent, err)
	}
	req := &deploymentv1.UpgradeAgentRequest{}
	if err := proto.Unmarshal(data, req); err != nil {
		return nil, fmt.Errorf("decode program of %s: %w", agent, err)
	}
	p.Version, p.Artifacts = req.GetVersion(), req.GetArtifacts()
	return p, nil
}

// For returns the archive for a host; nil where there is none.
func (p *Program) For(facts *deploymentv1.HostFacts) *deploymentv1.Artifact {
	for _, a := range p.Artifacts {
		if a.GetOs() == facts.GetOs() && a.GetArch() == facts.GetArch() {
			return a
		}
	}
	return nil
}
