package resource

import "google.golang.org/protobuf/proto"

// Admit makes a new resource of what a client sent as far as [Kind.Create] does
// without a database: an id chosen or made, the fields of the server removed,
// REQUIRED ones set. It is for batches, whose rows a service checks together
// and stores with [Kind.InsertMany]; no hook of the kind runs.
func (k *Kind[M]) Admit(parent, id string, input M) (M, error) {
	m := proto.CloneOf(input)
	if err := k.checkParent(parent); err != nil {
		return m, err
	}
	if id == "" {
		id = k.newID()
	} else if err := k.checkID(id); err != nil {
		return m, err
	}
	r := m.ProtoReflect()
	k.behavior.clearOutputOnly(r)
	k.managed.clear(r)
	setText(r, k.managed.name, k.Name(parent, id))
	missing := violations{reason: ReasonRequired, message: "%s is required; set it and send the request again"}
	k.behavior.checkRequired(r, k.field+".", &missing)
	if err := missing.err(); err != nil {
		return m, err
	}
	return m, k.derivable(m)
}
