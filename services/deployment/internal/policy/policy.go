package policy

import (
	"fmt"
	"slices"
	"sync"

	"github.com/golive-dev/golive/pkg/fault"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

// Policy is a policy made ready to be asked.
type Policy struct {
	spec            *deploymentv1.Policy
	freezes, allows Windows
	rules           []*Rule
	// broken says why what was stored cannot be understood any more. Such a policy closes.
	broken error
}

// New makes a policy ready, or says which of its fields is wrong.
func New(spec *deploymentv1.Policy) (*Policy, error) {
	p := &Policy{spec: spec}
	var err error
	if p.freezes, err = NewWindows(spec.GetFreezes(), "policy.freezes"); err != nil {
		return nil, err
	}
	if p.allows, err = NewWindows(spec.GetAllows(), "policy.allows"); err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for i, r := range spec.GetRules() {
		path := fmt.Sprintf("policy.rules[%d]", i)
		if ids[r.GetId()] {
			return nil, fault.Invalid(ReasonRuleInvalid, "two rules of the policy have the id %q; ids must be unique in it, so rename one", r.GetId()).Field(path+".id", "must be unique in the policy")
		}
		ids[r.GetId()] = true
		rule, err := NewRule(r.GetExpression(), path+".expression")
		if err != nil {
			return nil, err
		}
		p.rules = append(p.rules, rule)
	}
	return p, nil
}

// binds reports whether the policy is about a verb.
func (p *Policy) binds(verb deploymentv1.Verb) bool {
	return len(p.spec.GetVerbs()) == 0 || slices.Contains(p.spec.GetVerbs(), verb)
}

// covers reports whether the policy is about an application in an environment, by their ids.
func (p *Policy) covers(application, environment string) bool {
	return (len(p.spec.GetApplications()) == 0 || slices.Contains(p.spec.GetApplications(), application)) &&
		(len(p.spec.GetEnvironments()) == 0 || slices.Contains(p.spec.GetEnvironments(), environment))
}

// Cache keeps policies ready while they do not change, for as many calls as like.
type Cache struct {
	mu   sync.Mutex
	byID map[string]*Policy
}

// cacheSize is how many policies are kept; more than that are made ready again.
const cacheSize = 1000

// Get returns stored policies, ready. It never fails: one that cannot be understood any more,
// such as for a zone that is gone, is there and closes.
func (c *Cache) Get(specs []*deploymentv1.Policy) []*Policy {
	if len(specs) == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil || len(c.byID) > cacheSize {
		c.byID = map[string]*Policy{}
	}
	out := make([]*Policy, 0, len(specs))
	for _, spec := range specs {
		id := spec.GetUid() + " " + spec.GetEtag() // the etag is of all that a client may set
		ready := c.byID[id]
		if ready == nil {
			var err error
			if ready, err = New(spec); err != nil {
				ready = &Policy{broken: err}
			}
			c.byID[id] = ready
		}
		current := *ready
		current.spec = spec // whether its line is stopped is as it is now
		out = append(out, &current)
	}
	return out
}
