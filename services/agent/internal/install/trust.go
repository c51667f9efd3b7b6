package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/signature"
	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// trust verifies the manifest of a workload before anything of it is fetched or unpacked, and returns its counter.
// Keys that were put on the host by hand win over those that the server tells, and make signatures required:
// then a server that was taken over can neither bring what nobody signed nor bring an old hole back.
//
// What the host has kept of before is not asked again: a failing installation may always go back to it.
func (w *Worker) trust(workload *agentv1.Workload) (counter int64, err error) {
	keys, pinned, err := w.keys(workload)
	if err != nil {
		return 0, untrusted("SIGNATURE_INVALID", err)
	}
	required := pinned || w.slot.Command.GetSignatureRequired()
	if workload.GetManifest() == nil {
		if required {
			return 0, untrusted("SIGNATURE_REQUIRED", errors.New("the release has no signed manifest and this host takes signed releases only"))
		}
		return 0, nil
	}
	if len(keys) == 0 && !required {
		return 0, nil // there was a key once; nobody asks for it any more
	}
	err = w.notes.step(deploymentv1.Installation_FETCHING, "signature", workload.GetArtifact().GetSha256(), func() error {
		counter, err = w.judge(workload, keys)
		return err
	})
	return counter, err
}

// keys returns those to verify with, and whether they are the host's own.
func (w *Worker) keys(workload *agentv1.Workload) (keys []signature.Key, pinned bool, err error) {
	path := w.host.Layout.TrustedKeys(w.slot.Application)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		keys, err = signature.ParseKeys(workload.GetSigningKeys()...)
		return keys, false, err
	}
	if err != nil {
		return nil, true, err
	}
	if keys, err = signature.ParseKeyFile(content); err != nil {
		return nil, true, fmt.Errorf("%s: %w", path, err)
	}
	return keys, true, nil
}

func (w *Worker) judge(workload *agentv1.Workload, keys []signature.Key) (int64, error) {
	m, err := signature.ReadRelease(workload.GetManifest().GetDocument(), workload.GetManifest().GetSignature(), keys...)
	if err != nil {
		return 0, untrusted("SIGNATURE_INVALID", err)
	}
	if err := m.About(w.slot.Application, workload.GetVersion()); err != nil {
		return 0, untrusted("MANIFEST_MISMATCH", err)
	}
	if a := workload.GetArtifact(); a != nil {
		listed := signature.Artifact{OS: a.GetOs(), Arch: a.GetArch(), SHA256: a.GetSha256(), Size: a.GetSizeBytes()}
		if err := m.Lists(listed); err != nil {
			return 0, untrusted("MANIFEST_MISMATCH", err)
		}
	}
	now := time.Now()
	if order := w.slot.Command.GetRollbackOrder(); order != nil && m.Counter < w.slot.Counter {
		o, err := signature.ReadRollback(order.GetDocument(), order.GetSignature(), keys...)
		if err == nil { // a good order stands for the manifest's own expiry too
			err = o.Allows(w.slot.Application, environmentOf(w.slot.Target), m.Counter, now)
		}
		if err != nil {
			return 0, untrusted("ROLLBACK_ORDER_INVALID", err)
		}
		return m.Counter, nil
	}
	live, same := w.slot.Instances[w.slot.Live], workload.GetArtifact().GetSha256()
	if m.Counter < w.slot.Counter && (same == "" || live.SHA256 != same) {
		return 0, untrusted("COUNTER_OLD", fmt.Errorf("the release has counter %d and this host has run %d; it goes back with a signed rollback order only", m.Counter, w.slot.Counter))
	}
	if err := m.Current(now); err != nil {
		return 0, untrusted("MANIFEST_EXPIRED", err)
	}
	return m.Counter, nil
}

func untrusted(cause string, err error) *failure { return &failure{cause: cause, err: err} }

// trusted keeps the greatest counter that was healthy here. One that only was tried does not count: the
// way from it back must stay open.
func (w *Worker) trusted() {
	w.slot.Counter = max(w.slot.Counter, w.slot.Instances[w.slot.Live].Counter)
}

func environmentOf(target string) string {
	environment, _, _ := strings.Cut(target, "/targets/")
	return environment
}
