package render

import (
	"slices"

	agentv1 "github.com/golive-dev/golive/proto/golive/agent/v1"
)

// Command fills one more command of a workload, for what comes with a command and not with the release.
func Command(w *agentv1.Workload, scope Scope, what string, argv []string) ([]string, error) {
	secrets, missing := readSecrets(w.GetSecrets(), scope.Getenv)
	r := &renderer{scope: scope, missing: missing, data: data(w, scope, secrets)}
	return r.command(what, slices.Clone(argv))
}
