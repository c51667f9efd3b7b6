package resource

// With returns the same kind with other hooks, for a service whose hooks need
// more than the transaction: what they close over then lives for one call.
func (k *Kind[M]) With(hooks Hooks[M]) *Kind[M] {
	with := *k
	with.spec.Hooks = hooks
	return &with
}
