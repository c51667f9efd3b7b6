package cli

import (
	"context"
	"fmt"
	"strings"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
	"github.com/golive-dev/golive/services/cli/internal/show"
)

// previewRollback says what a rollback would do, where that is asked for.
func (c *client) previewRollback(ctx context.Context, asked bool, name string) error {
	if !asked {
		return nil
	}
	path, err := deploymentv1.NewDeploymentServiceClient(c.software).PreviewRollback(ctx, &deploymentv1.PreviewRollbackRequest{Name: name})
	if err != nil {
		return err
	}
	if !c.format.ForPeople() {
		return show.Encode(c.out, c.format, path)
	}
	return c.printPath(name, path)
}

// printPath says what going back would mean.
func (c *client) printPath(deployment string, path *deploymentv1.RollbackPath) error {
	rows := [][]string{
		{"deployment", kind.Short(deployment)},
		{"a failed wave", map[deploymentv1.RollbackPath_Rule]string{
			deploymentv1.RollbackPath_AUTO: "goes back by itself", deploymentv1.RollbackPath_FREEZE: "stays as it is, and a person decides",
		}[path.GetRule()]},
		{"at once", fmt.Sprintf("%d targets have the release before on the host still", path.GetRetained())},
		{"by download", fmt.Sprint(path.GetFetch())},
		{"nothing before", fmt.Sprintf("%d; the application is removed there", path.GetNone())},
	}
	for _, r := range path.GetReasons() {
		rows = append(rows, []string{"because", r})
	}
	if down := path.GetMigrationsDown(); len(down) > 0 {
		rows = append(rows, []string{"takes back", strings.Join(down, ", ")})
	}
	for _, b := range path.GetBlocked() {
		rows = append(rows, []string{c.style.State("FAIL"), b})
	}
	return show.Rows(c.out, rows)
}
