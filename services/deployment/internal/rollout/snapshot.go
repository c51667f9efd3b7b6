package rollout

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Member is what a deployment brings to one target.
type Member struct {
	Target, Wave, Release, ConfigDigest string
}

// PlanDigest is the SHA-256 over a plan as it is copied into a deployment. It is taken once and kept: another
// version of the program may write the same plan with other bytes.
func PlanDigest(plan *deploymentv1.Rollout) (string, error) {
	frozen, err := proto.MarshalOptions{Deterministic: true}.Marshal(plan)
	if err != nil {
		return "", fmt.Errorf("freeze the plan: %w", err)
	}
	sum := sha256.Sum256(frozen)
	return hex.EncodeToString(sum[:]), nil
}

// SnapshotDigest is the SHA-256 over all that was copied into a deployment: its plan by its digest, and for every
// target its wave, the release and the digest of the variables and references to secrets. The order does not matter.
func SnapshotDigest(plan string, members []Member) string {
	hash := sha256.New()
	hash.Write([]byte(plan))
	sorted := slices.SortedFunc(slices.Values(members), func(a, b Member) int { return strings.Compare(a.Target, b.Target) })
	for _, m := range sorted {
		hash.Write([]byte("\x00" + m.Target + "\x00" + lastSegment(m.Wave) + "\x00" + m.Release + "\x00" + m.ConfigDigest))
	}
	return hex.EncodeToString(hash.Sum(nil))
}
