package api_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/api"
)

func TestAReleaseSaysHowItRuns(t *testing.T) {
	b := setupFleet(t)
	service := api.NewReleaseService(b.store, nil)
	command, hook := []string{"bin/app"}, &deploymentv1.Hook{Command: []string{"/bin/true"}}
	archives := []*deploymentv1.Artifact{{Os: "linux", Arch: "amd64", Uri: "https://example.com/a.zip", SizeBytes: 1, Sha256: digest([]byte("a"))}}
	unit := func(adopt bool) *deploymentv1.ExternalService {
		return &deploymentv1.ExternalService{Manager: &deploymentv1.ExternalService_SystemdUnit{SystemdUnit: "nginx.service"}, Adopt: adopt}
	}
	ports := []int32{8001, 8002}
	missing := []string{"nothing", "no archive", "an empty status", "an empty switch"}
	for name, test := range map[string]struct {
		artifacts []*deploymentv1.Artifact
		run       *deploymentv1.RunSpec
		field     string // empty where it is accepted
	}{
		"a program":               {archives, &deploymentv1.RunSpec{Command: command}, ""},
		"a service":               {nil, &deploymentv1.RunSpec{External: unit(true)}, ""},
		"a service with archives": {archives, &deploymentv1.RunSpec{External: unit(false)}, ""},
		"side by side":            {archives, &deploymentv1.RunSpec{Command: command, BlueGreen: &deploymentv1.BlueGreen{Ports: ports, Listen: ":8080"}}, ""},
		"nothing":                 {archives, nil, "release.run.command"},
		"no archive":              {nil, &deploymentv1.RunSpec{Command: command}, "release.artifacts"},
		"both":                    {archives, &deploymentv1.RunSpec{Command: command, External: unit(true)}, "release.run.command"},
		"a limited service":       {nil, &deploymentv1.RunSpec{External: unit(true), Limits: &deploymentv1.ResourceLimits{MemoryBytes: 1}}, "release.run.limits"},
		"two of one service":      {nil, &deploymentv1.RunSpec{External: unit(true), BlueGreen: &deploymentv1.BlueGreen{Ports: ports, Switch: hook}}, "release.run.blue_green"},
		"an empty status": {nil, &deploymentv1.RunSpec{External: &deploymentv1.ExternalService{Manager: &deploymentv1.ExternalService_Commands{
			Commands: &deploymentv1.ServiceCommands{Start: hook, Stop: hook, Status: &deploymentv1.Hook{}},
		}}}, "release.run.external.commands.status"},
		"nobody switches": {archives, &deploymentv1.RunSpec{Command: command, BlueGreen: &deploymentv1.BlueGreen{Ports: ports}}, "release.run.blue_green"},
		"two switch":      {archives, &deploymentv1.RunSpec{Command: command, BlueGreen: &deploymentv1.BlueGreen{Ports: ports, Listen: ":8080", Switch: hook}}, "release.run.blue_green"},
		"an empty switch": {archives, &deploymentv1.RunSpec{Command: command, BlueGreen: &deploymentv1.BlueGreen{Ports: ports, Switch: &deploymentv1.Hook{}}}, "release.run.blue_green.switch"},
		"no port":         {archives, &deploymentv1.RunSpec{Command: command, BlueGreen: &deploymentv1.BlueGreen{Ports: ports, Listen: "localhost"}}, "release.run.blue_green.listen"},
		"its own port":    {archives, &deploymentv1.RunSpec{Command: command, BlueGreen: &deploymentv1.BlueGreen{Ports: ports, Listen: "127.0.0.1:8001"}}, "release.run.blue_green.listen"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := service.CreateRelease(t.Context(), &deploymentv1.CreateReleaseRequest{
				Parent:  workspace + "/applications/none",
				Release: &deploymentv1.Release{Version: "1.0.0", Artifacts: test.artifacts, Run: test.run},
			})
			if test.field == "" {
				require.Equal(t, "RESOURCE_NOT_FOUND", fault.ReasonOf(err), "it is the application that is missing: %v", err)
				return
			}
			reason := "INVALID_FIELD"
			if slices.Contains(missing, name) {
				reason = "REQUIRED_FIELD"
			}
			require.Equal(t, reason, fault.ReasonOf(err))
			require.ErrorContains(t, err, test.field[len("release."):])
		})
	}
}
