package fleet

import "context"

// claim is an installation that an agent speaks of.
type claim struct {
	session      *session
	installation string
}

// own tells of each claim whether the installation is on one of the agent's own
// targets. What is true once stays true, and is remembered with the session.
func (h *Hub) own(ctx context.Context, claims []claim) ([]bool, error) {
	ok := make([]bool, len(claims))
	var unknown []string
	missing := map[string]struct{}{}
	for i, c := range claims {
		if ok[i] = c.session.knows(c.installation); ok[i] {
			continue
		}
		if _, twice := missing[c.installation]; !twice {
			missing[c.installation] = struct{}{}
			unknown = append(unknown, c.installation)
		}
	}
	if len(unknown) == 0 {
		return ok, nil
	}
	target, err := h.cfg.Store.InstallationTargets(ctx, unknown)
	if err != nil {
		return nil, err
	}
	for i, c := range claims {
		if !ok[i] && target[c.installation] != "" && c.session.serves(target[c.installation]) {
			ok[i] = true
			c.session.learn(c.installation)
		}
	}
	return ok, nil
}

func (s *session) knows(installation string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.known[installation]
	return known
}

func (s *session) learn(installation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxKnown {
		s.known = map[string]struct{}{}
	}
	s.known[installation] = struct{}{}
}
