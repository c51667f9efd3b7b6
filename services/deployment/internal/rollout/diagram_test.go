package rollout

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// TestTheDiagramsInTheDocumentationAreTheTables holds each arrow that the page on waves draws to
// the table of its machine.
func TestTheDiagramsInTheDocumentationAreTheTables(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "explanation", "waves.md"))
	require.NoError(t, err)
	drawn := regexp.MustCompile("(?ms)^```mermaid\n(.*?)^```").FindAllStringSubmatch(string(text), -1)
	require.Len(t, drawn, 3)
	arrows := func(diagram string) [][]string {
		found := regexp.MustCompile(`(?m)^ *([A-Z_]+) --> ([A-Z_]+)`).FindAllStringSubmatch(diagram, -1)
		require.Greater(t, len(found), 15)
		return found
	}
	for _, arrow := range arrows(drawn[0][1]) {
		from, to := DeploymentState(deploymentv1.Deployment_State_value[arrow[1]]), DeploymentState(deploymentv1.Deployment_State_value[arrow[2]])
		require.True(t, deploymentMoves.allows(from, to), arrow[0])
	}
	for _, arrow := range arrows(drawn[1][1]) {
		from, to := WaveState(deploymentv1.Wave_State_value[arrow[1]]), WaveState(deploymentv1.Wave_State_value[arrow[2]])
		require.True(t, waveMoves.allows(from, to), arrow[0])
	}
	for _, arrow := range arrows(drawn[2][1]) {
		from, to := InstallationState(deploymentv1.Installation_State_value[arrow[1]]), InstallationState(deploymentv1.Installation_State_value[arrow[2]])
		require.True(t, Reported(from, to) || installationMoves.allows(from, to), arrow[0])
	}
}
