// Package resource writes the AIP standard methods once, for every message
// that carries google.api.resource. A new resource is a table, what SQL can see
// of it, and what is special about it:
//
//	var Releases = resource.Define(resource.Spec[*deploymentv1.Release]{
//		Table:   "releases",
//		Columns: []resource.Column[*deploymentv1.Release]{{Field: "version"}, {Field: "state"}, {Field: "labels"}},
//		Parent:  Applications.RequiredLater,
//	})
//
//	func (a *api) CreateRelease(ctx context.Context, req *deploymentv1.CreateReleaseRequest) (*deploymentv1.Release, error) {
//		return Releases.Create(ctx, a.store, req)
//	}
//
// The message is the model: what the API speaks is what is stored, as bytes
// beside the few columns that are filtered, ordered or unique. Everything that
// can be known from descriptors is found out by [Define]; a request pays for its own work only.
//
// # What a client may rely on
//
//   - Names follow the pattern of the annotation (AIP-122), a parent exists,
//     and stays while something is created under it.
//   - OUTPUT_ONLY input is ignored, REQUIRED fields are set and IMMUTABLE ones
//     unchanged, at every depth, and one answer names all that are not (AIP-203).
//   - An update mask names fields, nested fields or keys of maps; none means
//     what is set, * everything (AIP-134).
//   - An etag (AIP-154) covers what a client may set: the engine's own writes do not make it stale.
//   - request_id (AIP-155): once done, a request answers the same for a day,
//     also while it is being done. validate_only (AIP-163) runs everything and undoes it.
//   - Lists (AIP-132, 158, 159) are keyset pages; a token belongs to its parent,
//     filter and order. Filters are AIP-160: OR binds tighter than AND.
//
// # How a write goes
//
//	Do: one transaction ──▶ lock the row, or check the parent
//	      │                 merge, field rules, hooks
//	      │                 Insert / Save: row, sets, event
//	      │                 request id and answer
//	      ├─ validate_only: roll back, answer all the same
//	      └─ failed, and the request id is known: the earlier answer
//
// Engines use the inner half: [Kind.LoadRow], then [Kind.Save] with the revision
// they read. A terminal state is absorbing in the UPDATE itself.
//
// # Tables
//
// Migrations are files that a service writes; [Kind.DDL] prints what one must
// create and [Kind.CheckTable] proves that it did. [Kind.Rederive] proves every
// stored column against its message. [Source] are the two tables of this
// package. Texts are compared as bytes on both databases, times are unix
// microseconds, and 0 is a time that is not set.
package resource
