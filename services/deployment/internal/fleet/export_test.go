package fleet

// Grow makes a hub believe that there are so many agents, until it counts them again.
func Grow(h *Hub, agents int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.agents = agents
}

// Crowd lets as many agents wait as may, until the crowd is over.
func Crowd(h *Hub) (over func()) {
	h.arriving.Add(maxArriving)
	return func() { h.arriving.Add(-maxArriving) }
}
