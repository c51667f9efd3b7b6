package rollout

import (
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	"github.com/golive-dev/golive/services/deployment/internal/policy"
)

// binds changes what binds the deployment of a scenario.
func (s *scenario) binds(verb, rest string) {
	switch verb {
	case "hotfix":
		s.Deployment.Hotfix = true
	case "override":
		if name, revoked := strings.CutPrefix(rest, "-"); revoked {
			s.overrides = slices.DeleteFunc(s.overrides, func(o *deploymentv1.Override) bool { return o.GetName() == name })
			break
		}
		o := &deploymentv1.Override{}
		require.NoError(s, prototext.Unmarshal([]byte(rest), o))
		s.overrides = append(s.overrides, o)
	default:
		id, text, given := strings.Cut(rest, " ")
		if s.policies == nil {
			s.policies = map[string]*deploymentv1.Policy{}
		}
		delete(s.policies, id)
		if given {
			p := &deploymentv1.Policy{}
			require.NoError(s, prototext.Unmarshal([]byte(text), p))
			p.Name, p.Uid, p.Etag = "workspaces/w/policies/"+id, id, text
			s.policies[id] = p
		}
	}
	s.bind = func() *policy.Set {
		var specs []*deploymentv1.Policy
		for _, id := range slices.Sorted(maps.Keys(s.policies)) {
			specs = append(specs, s.policies[id])
		}
		var cache policy.Cache
		return policy.NewSet(cache.Get(specs), s.overrides, "workspaces/w/applications/a", "workspaces/w/environments/e")
	}
}
