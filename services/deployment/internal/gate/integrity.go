package gate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/signing"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	// mostHashed is up to which size an archive is read again; of a larger one only presence and size are looked at.
	mostHashed = 256 << 20
	// intactFor is how long an archive that was read and found right is not read again.
	intactFor = 10 * time.Minute
	// readTimeout is how long the archives of a release may take.
	readTimeout = time.Minute
	// keptIntact bounds how many archives are remembered.
	keptIntact = 4096
)

// intact remembers when archives were found right. The zero value is ready.
type intact struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (i *intact) knows(sha string, now time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	seen, ok := i.at[sha]
	return ok && now.Sub(seen) < intactFor
}

func (i *intact) learn(sha string, now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.at == nil || len(i.at) >= keptIntact {
		i.at = map[string]time.Time{}
	}
	i.at[sha] = now
}

// IntegrityFacts is what was found of a release.
type IntegrityFacts struct {
	Artifacts []ArtifactFacts
	// Signed is true where the manifest's signature was asked for; Signature says what is wrong with it, or "".
	Signed    bool
	Signature string
}

// ArtifactFacts is what was found of one archive. Problem is empty where it is right.
type ArtifactFacts struct {
	SHA256, Platform string
	// Looked says how it was looked at.
	Looked  string
	Problem string
}

// integrity reads every archive of the release and checks its signature.
func (g *Gates) integrity(ctx context.Context, ask Question, gate *deploymentv1.IntegrityGate, now time.Time) (*gatev1.Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	q := g.cfg.Store.DB.Read()
	release, err := store.Releases.Load(ctx, q, ask.Deployment.GetRelease())
	if err != nil {
		return nil, err
	}
	application, err := store.Applications.Load(ctx, q, applicationOf(ask.Deployment))
	if err != nil {
		return nil, err
	}
	f := IntegrityFacts{Signed: gate.GetSignature() || application.GetSignaturesRequired()}
	for _, a := range release.GetArtifacts() {
		found, err := g.look(ctx, store.WorkspaceOf(release.GetName()), a, now)
		if err != nil {
			return nil, err
		}
		f.Artifacts = append(f.Artifacts, found)
	}
	if f.Signed {
		application = proto.CloneOf(application)
		application.SignaturesRequired = true
		if err := signing.Installable(application, release, now); err != nil {
			f.Signature = fault.From(err).Error()
		}
	}
	return JudgeIntegrity(ask, f), nil
}

// look reads one archive. One that is fetched from elsewhere is read by each host, which refuses another digest.
func (g *Gates) look(ctx context.Context, workspace string, a *deploymentv1.Artifact, now time.Time) (f ArtifactFacts, err error) {
	f = ArtifactFacts{SHA256: a.GetSha256(), Platform: a.GetOs() + "/" + a.GetArch()}
	if a.GetUri() != "" {
		f.Looked = "fetched by each host, which checks its digest"
		return f, nil
	}
	info, err := g.cfg.Blobs.Stat(ctx, workspace, a.GetSha256())
	switch {
	case fault.Is(err, fault.KindNotFound):
		f.Problem = "is missing; upload it again"
		return f, nil
	case err != nil:
		return f, err
	case info.Size != a.GetSizeBytes():
		f.Problem = fmt.Sprintf("has %d bytes instead of %d", info.Size, a.GetSizeBytes())
		return f, nil
	case info.Size > mostHashed:
		f.Looked = "there with its size; too large to be read again"
		return f, nil
	}
	f.Looked = "read again"
	if g.intact.knows(a.GetSha256(), now) {
		return f, nil
	}
	reader, err := g.cfg.Blobs.Read(ctx, workspace, a.GetSha256(), 0)
	if err != nil {
		return f, err
	}
	defer func() { _ = reader.Close() }() // only read from
	hash := sha256.New()
	if _, err := io.Copy(hash, reader); err != nil {
		return f, fmt.Errorf("read archive %s: %w", a.GetSha256(), err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != a.GetSha256() {
		f.Problem = "is damaged: its SHA-256 is " + got
		return f, nil
	}
	g.intact.learn(a.GetSha256(), now)
	return f, nil
}

// JudgeIntegrity opens while every archive is right and the signature holds, where one is asked for.
func JudgeIntegrity(ask Question, f IntegrityFacts) *gatev1.Verdict {
	release := ask.Deployment.GetRelease()
	var reasons []*gatev1.BlockedBy
	var evidence []*gatev1.Evidence
	refuse := func(current, required string) {
		reasons = append(reasons, &gatev1.BlockedBy{
			Kind: gatev1.BlockedBy_INTEGRITY, Resource: release, Current: current, Required: required, Owner: operators, Command: "golive describe " + release,
		})
	}
	for _, a := range f.Artifacts {
		evidence = append(evidence, &gatev1.Evidence{
			Criterion: "artifact", State: failIf(a.Problem), Resource: release, Detail: fmt.Sprintf("%s %s: %s", a.Platform, a.SHA256, cmp.Or(a.Problem, a.Looked)),
		})
		if a.Problem != "" {
			refuse(fmt.Sprintf("the archive %s for %s %s", a.SHA256, a.Platform, a.Problem), "every archive there, with its digest")
		}
	}
	if f.Signed {
		evidence = append(evidence, &gatev1.Evidence{Criterion: "signature", State: failIf(f.Signature), Resource: release, Detail: cmp.Or(f.Signature, "valid")})
		if f.Signature != "" {
			refuse(f.Signature, "a manifest with a valid signature")
		}
	}
	return judged(ask.Wave, gatev1.Verdict_FAIL, reasons, evidence...)
}

func failIf(problem string) gatev1.Verdict_State {
	if problem != "" {
		return gatev1.Verdict_FAIL
	}
	return gatev1.Verdict_PASS
}
