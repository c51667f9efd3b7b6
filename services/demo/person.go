package demo

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	accessv1 "github.com/golive-dev/golive/proto/golive/access/v1"
)

// approver is somebody else than who deploys.
const approver = "users/approver"

// approves are the contracts in the hands of the approver, with a token of their own.
func (d *Demo) approves(ctx context.Context) (clients, error) {
	minted, err := d.access.MintToken(ctx, &accessv1.MintTokenRequest{
		Principal: approver, Ttl: durationpb.New(10 * time.Minute), Grants: []*accessv1.Grant{{Workspace: Workspace, Roles: []accessv1.Role{accessv1.Role_ROLE_APPROVER}}},
	})
	if err != nil {
		return clients{}, fmt.Errorf("mint a token for %s: %w", approver, err)
	}
	deployment, implementation, err := d.cfg.As(minted.GetToken())
	return dial(deployment, implementation), err
}
