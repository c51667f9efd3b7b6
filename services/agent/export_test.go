package agent

import "github.com/golive-dev/golive/services/agent/internal/journal"

// WithHook makes the journal call back around each write.
func (c Config) WithHook(h journal.Hook) Config {
	c.hook = h
	return c
}
