package api

import (
	"fmt"
	"path"
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// formatOf guesses how an archive is packed by its name; uploads are tar.gz unless said otherwise.
func formatOf(uri string) deploymentv1.Artifact_Format {
	name := path.Base(uri)
	switch {
	case strings.HasSuffix(name, ".tar.zst"), strings.HasSuffix(name, ".tzst"):
		return deploymentv1.Artifact_TAR_ZST
	case strings.HasSuffix(name, ".zip"):
		return deploymentv1.Artifact_ZIP
	default:
		return deploymentv1.Artifact_TAR_GZ
	}
}

func artifactField(position int, field string) string {
	return fmt.Sprintf("release.artifacts[%d].%s", position, field)
}

func artifactFault(position int, field, why string) error {
	return fault.Invalid("INVALID_FIELD", "artifact %d cannot be used: %s; correct it and create the release again", position, why).Field(artifactField(position, field), why)
}
