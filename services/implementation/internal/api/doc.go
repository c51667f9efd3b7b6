// Package api answers the contracts of the implementation service: one file a
// noun, each handler a line or a few. What a field may hold is checked by the
// contract before a handler runs, what needs state by the store.
package api
