package demo

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

func (d *Demo) seedReleases(ctx context.Context) error {
	if _, err := d.applications.CreateApplication(ctx, &deploymentv1.CreateApplicationRequest{Parent: Workspace, ApplicationId: "crm", Application: &deploymentv1.Application{DisplayName: "CRM", Owner: "users/release"}}); err != nil {
		return err
	}
	for _, version := range slices.Sorted(maps.Keys(d.cfg.Applications)) {
		if err := d.seedRelease(ctx, version, d.cfg.Applications[version]); err != nil {
			return fmt.Errorf("release %s: %w", version, err)
		}
	}
	return nil
}

// ReleaseID turns a version into the last segment of a name.
func ReleaseID(version string) string { return "v" + strings.ReplaceAll(version, ".", "-") }

func (d *Demo) seedRelease(ctx context.Context, version, program string) error {
	archive, err := Pack(program)
	if err != nil {
		return err
	}
	sum, err := d.upload(ctx, archive)
	if err != nil {
		return fmt.Errorf("upload: %w", err)
	}
	release := &deploymentv1.Release{
		Version:     version,
		Artifacts:   []*deploymentv1.Artifact{{Os: runtime.GOOS, Arch: runtime.GOARCH, Format: deploymentv1.Artifact_TAR_GZ, Sha256: sum}},
		ConfigFiles: []*deploymentv1.ConfigFile{{Path: "crm.conf", Template: "# {{.target.id}} runs {{.release.version}} on {{.facts.os}}\nlisten = 127.0.0.1:{{.vars.port}}\n"}},
		Run: &deploymentv1.RunSpec{
			Command: []string{"app"},
			Env:     map[string]string{"ADDRESS": "127.0.0.1:{{.vars.port}}", "GREETING": "{{.vars.greeting}}", "DATABASE": "{{.vars.database}}"},
			Probes: []*deploymentv1.Probe{{
				Check:    &deploymentv1.Probe_Http_{Http: &deploymentv1.Probe_Http{Url: "http://127.0.0.1:{{.vars.port}}/healthz", Contains: "{{.release.version}}"}},
				Interval: durationpb.New(d.cfg.ProbeInterval), Timeout: durationpb.New(2 * time.Second), FailureThreshold: 3,
			}},
			HealthDeadline: durationpb.New(10 * time.Second), MinHealthyTime: durationpb.New(d.cfg.MinHealthy), StopGrace: durationpb.New(5 * time.Second),
		},
		Hooks: &deploymentv1.Hooks{Test: &deploymentv1.Hook{Command: []string{"app", "check"}, Timeout: durationpb.New(10 * time.Second)}},
	}
	if !d.cfg.Unwatched { // every release names it, and it is made once for ever
		release.Migrations = []*deploymentv1.Migration{{Id: migration, Phase: deploymentv1.Migration_EXPAND, Up: &deploymentv1.Hook{Command: []string{"app", "migrate"}, Timeout: durationpb.New(10 * time.Second)}}}
	}
	_, err = d.releases.CreateRelease(ctx, &deploymentv1.CreateReleaseRequest{Parent: Application, ReleaseId: ReleaseID(version), Release: release})
	return err
}

// Pack makes a tar.gz with the program as app.
func Pack(program string) ([]byte, error) {
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	if err := archive.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
		return nil, err
	}
	if _, err := archive.Write(content); err != nil {
		return nil, err
	}
	if err := errors.Join(archive.Close(), zip.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// upload sends an archive in pieces and returns its SHA-256.
func (d *Demo) upload(ctx context.Context, archive []byte) (string, error) {
	digest := sha256.Sum256(archive)
	sum := hex.EncodeToString(digest[:])
	stream, err := d.blobs.UploadBlob(ctx)
	if err != nil {
		return "", err
	}
	for first, rest := true, archive; len(rest) > 0; first = false {
		piece := rest[:min(len(rest), 512<<10)]
		rest = rest[len(piece):]
		req := &deploymentv1.UploadBlobRequest{Data: piece}
		if first {
			req.Parent, req.Sha256 = Workspace, sum
		}
		if err := stream.Send(req); err != nil {
			if errors.Is(err, io.EOF) {
				break // the server ended it; the reason comes with the answer
			}
			return "", err
		}
	}
	_, err = stream.CloseAndRecv()
	return sum, err
}

func (d *Demo) seedTargets(ctx context.Context) error {
	if _, err := d.environments.CreateEnvironment(ctx, &deploymentv1.CreateEnvironmentRequest{Parent: Workspace, EnvironmentId: "production", Environment: &deploymentv1.Environment{
		DisplayName: "Production", Variables: map[string]string{"greeting": "Welcome to the CRM", "database": d.database()},
	}}); err != nil {
		return err
	}
	for _, c := range d.cfg.Cohorts {
		for _, id := range c.Targets {
			port, err := d.ports.Next(ctx)
			if err != nil {
				return err
			}
			if _, err := d.targets.CreateTarget(ctx, &deploymentv1.CreateTargetRequest{Parent: Environment, TargetId: id, Target: &deploymentv1.Target{
				DisplayName: id, Cohorts: []string{c.ID}, Variables: map[string]string{"port": port},
			}}); err != nil {
				return err
			}
			if d.addresses[id] = "127.0.0.1:" + port; !d.cfg.Unwatched {
				d.Witness.Watch(id, "http://"+d.addresses[id])
			}
		}
	}
	return nil
}
