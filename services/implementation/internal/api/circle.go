package api

import "cmp"

// nameOfNew is what a resource will be called; nothing can wait yet for one whose id is not chosen by the client.
func nameOfNew(parent, collection, id string) string {
	return parent + "/" + collection + "/" + cmp.Or(id, "new")
}
