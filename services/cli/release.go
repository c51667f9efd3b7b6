package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// chunk is the size of one piece of an upload.
const chunk = 256 << 10

func (a *app) release() *cobra.Command {
	return group("release", "Register releases", a.releaseCreate(), a.releaseAbandon())
}

func (a *app) releaseAbandon() *cobra.Command {
	return a.verb(verb{
		use: "abandon RELEASE", short: "Make a release undeployable for ever", word: "Abandon", kind: "release", needReason: true, asking: true,
		subject: func(c *client, _ context.Context, given string) (string, error) {
			return c.name(mustFind("release"), given)
		},
	})
}

func (a *app) releaseCreate() *cobra.Command {
	var (
		artifacts                   []string
		spec, id, commit, committed string
		notes, manifest             string
	)
	cmd := &cobra.Command{
		Use:   "create APPLICATION VERSION [--artifact OS/ARCH=FILE]… -f SPEC",
		Short: "Register a release and upload its artifacts",
		Long: "SPEC is YAML that says how it is configured and run, as golive get release -o yaml shows it:\n\n" +
			"  run:\n    command: [bin/crm, --port, \"{{.vars.port}}\"]\n    probes:\n    - http: {url: \"http://127.0.0.1:{{.vars.port}}/healthz\"}\n\n" +
			"An artifact is a tar archive, packed with gzip or zstd, or a zip archive. One that was uploaded before is not sent again.\n" +
			"A release that names a service of the host (run.external) needs none.",
		Example: "  golive release create crm 2.0.0 --artifact linux/amd64=dist/crm-linux-amd64.tar.gz -f release.yaml",
		Args:    cobra.ExactArgs(2),
	}
	f := cmd.Flags()
	f.StringArrayVar(&artifacts, "artifact", nil, "an archive for a platform, linux/amd64=FILE; repeatable")
	f.StringVarP(&spec, "filename", "f", "", "the specification, or - for stdin")
	f.StringVar(&id, "id", "", "the id; v2-0-0 for 2.0.0 when not given")
	f.StringVar(&commit, "commit", "", "the source commit")
	f.StringVar(&committed, "commit-time", "", "when that commit was made; lead time counts from here")
	f.StringVar(&notes, "notes", "", "what is new")
	f.StringVar(&manifest, "manifest", "", "its signed manifest, with FILE.minisig beside it as minisign -S writes it")
	must(cmd.MarkFlagRequired("filename"))
	a.completeKind(cmd, "application")
	return a.remote(cmd, func(ctx context.Context, c *client, args []string) error {
		application, err := c.name(mustFind("application"), args[0])
		if err != nil {
			return err
		}
		release, err := c.readSpec(spec)
		if err != nil {
			return err
		}
		release.Version = args[1]
		if commit != "" {
			release.Commit = commit
		}
		if committed != "" {
			if release.CommitTime, err = moment("commit-time", committed); err != nil {
				return err
			}
		}
		if notes != "" {
			release.Notes = notes
		}
		for _, given := range artifacts {
			artifact, err := c.upload(ctx, given)
			if err != nil {
				return err
			}
			release.Artifacts = append(release.Artifacts, artifact)
		}
		if manifest != "" {
			if release.Manifest, err = c.signedFile(manifest); err != nil {
				return err
			}
		}
		if id == "" {
			id = "v" + strings.NewReplacer(".", "-", "+", "-").Replace(strings.ToLower(args[1]))
		}
		created, err := deploymentv1.NewReleaseServiceClient(c.software).CreateRelease(ctx, &deploymentv1.CreateReleaseRequest{
			Parent: application, ReleaseId: id, Release: release,
		})
		if err != nil {
			return err
		}
		return c.printOne(mustFind("release"), created)
	})
}

func (c *client) readSpec(file string) (*deploymentv1.Release, error) {
	data, err := c.readFile(file)
	if err != nil {
		return nil, err
	}
	var content map[string]any
	release := new(deploymentv1.Release)
	if err = yaml.Unmarshal(data, &content); err == nil {
		if data, err = json.Marshal(content); err == nil {
			err = protojson.Unmarshal(data, release)
		}
	}
	if err != nil {
		return nil, usage(file+": "+err.Error(), "golive release create --help shows the form")
	}
	return release, nil
}

// upload sends an archive unless the server has it, and describes it.
func (c *client) upload(ctx context.Context, given string) (_ *deploymentv1.Artifact, err error) {
	platform, path, ok := strings.Cut(given, "=")
	system, arch, ok2 := strings.Cut(platform, "/")
	if !ok || !ok2 || system == "" || arch == "" || path == "" {
		return nil, usage("--artifact "+given+" names no platform and file", "write --artifact linux/amd64=FILE")
	}
	artifact := &deploymentv1.Artifact{Os: system, Arch: arch, Format: formatOf(path)}
	if artifact.GetFormat() == deploymentv1.Artifact_FORMAT_UNSPECIFIED {
		return nil, usage(path+" is not a .tar.gz, .tgz, .tar.zst, .tzst or .zip", "pack it as one of these")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, usage(err.Error(), "name a file that can be read")
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	digest := sha256.New()
	if artifact.SizeBytes, err = io.Copy(digest, file); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	artifact.Sha256 = hex.EncodeToString(digest.Sum(nil))
	blobs := deploymentv1.NewBlobServiceClient(c.software)
	parent := "workspaces/" + c.workspace
	if _, err = blobs.GetBlob(ctx, &deploymentv1.GetBlobRequest{Name: parent + "/blobs/" + artifact.GetSha256()}); err == nil {
		c.note("%s is there already", path)
		return artifact, nil
	}
	if !fault.Is(err, fault.KindNotFound) {
		return nil, err
	}
	if _, err = file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	c.note("uploading %s, %d bytes", path, artifact.GetSizeBytes())
	return artifact, send(ctx, blobs, parent, artifact.GetSha256(), file)
}

func send(ctx context.Context, blobs deploymentv1.BlobServiceClient, parent, digest string, file io.Reader) error {
	stream, err := blobs.UploadBlob(ctx)
	if err != nil {
		return err
	}
	first := &deploymentv1.UploadBlobRequest{Parent: parent, Sha256: digest}
	for {
		buffer := make([]byte, chunk) // gRPC may keep a message that was sent
		n, readErr := io.ReadFull(file, buffer)
		first.Data = buffer[:n]
		if n > 0 {
			if err := stream.Send(first); errors.Is(err, io.EOF) {
				break // the answer says why
			} else if err != nil {
				return err
			}
		}
		first = new(deploymentv1.UploadBlobRequest)
		if errors.Is(readErr, io.EOF) || errors.Is(readErr, io.ErrUnexpectedEOF) {
			break
		}
		if readErr != nil {
			return fmt.Errorf("read artifact: %w", readErr)
		}
	}
	_, err = stream.CloseAndRecv()
	return err
}

func formatOf(path string) deploymentv1.Artifact_Format {
	switch {
	case strings.HasSuffix(path, ".tar.gz"), strings.HasSuffix(path, ".tgz"):
		return deploymentv1.Artifact_TAR_GZ
	case strings.HasSuffix(path, ".tar.zst"), strings.HasSuffix(path, ".tzst"):
		return deploymentv1.Artifact_TAR_ZST
	case strings.HasSuffix(path, ".zip"):
		return deploymentv1.Artifact_ZIP
	default:
		return deploymentv1.Artifact_FORMAT_UNSPECIFIED
	}
}
