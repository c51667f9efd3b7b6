package store

import (
	"context"
	"fmt"
	"path/filepath"
	"text/template"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
	"github.com/golive-dev/golive/pkg/sqldb"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Releases are the immutable versions of applications.
var Releases = resource.Define(resource.Spec[*deploymentv1.Release]{
	Table: "releases",
	Columns: []resource.Column[*deploymentv1.Release]{
		{Field: "version"}, {Field: "state"}, {Field: "signed_counter"}, {Field: "labels"},
	},
	Parent:   Applications.RequiredLater,
	Terminal: func(r *deploymentv1.Release) bool { return r.GetState() == deploymentv1.Release_ABANDONED },
	Hooks: resource.Hooks[*deploymentv1.Release]{
		Default: prepareRelease,
	},
})

// prepareRelease sets what a new release begins with, and refuses what no host could ever use.
func prepareRelease(_ context.Context, _ *sqldb.Tx, r *deploymentv1.Release) error {
	r.State = deploymentv1.Release_ACTIVE
	if err := checkConfig(r); err != nil {
		return err
	}
	if err := checkMigrations(r); err != nil {
		return err
	}
	return onePerPlatform(r)
}

// checkConfig refuses what every host would refuse, while the one who can mend it is looking.
func checkConfig(r *deploymentv1.Release) error {
	for i, file := range r.GetConfigFiles() {
		field, why := "path", ""
		if !filepath.IsLocal(file.GetPath()) {
			why = fmt.Sprintf("%q leads out of the configuration folder", file.GetPath())
		} else if _, err := template.New(file.GetPath()).Parse(file.GetTemplate()); err != nil {
			field, why = "template", err.Error()
		}
		if why != "" {
			return fault.Invalid(resource.ReasonInvalidField, "the %s of configuration file %d cannot be used: %s; correct it and create the release again", field, i, why).
				Field(fmt.Sprintf("release.config_files[%d].%s", i, field), why)
		}
	}
	return nil
}

func onePerPlatform(r *deploymentv1.Release) error {
	seen := map[string]int{}
	for i, a := range r.GetArtifacts() {
		platform := a.GetOs() + "/" + a.GetArch()
		if first, ok := seen[platform]; ok {
			return fault.Invalid("DUPLICATE_PLATFORM", "artifacts %d and %d are both for %s; leave one of them out", first, i, platform).
				Field(fmt.Sprintf("release.artifacts[%d]", i), "is for the platform of another")
		}
		seen[platform] = i
	}
	return nil
}
