package gateway

import (
	"bytes"

	"google.golang.org/protobuf/proto"

	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// batch is the latest frame of each resource since the last batch, in the order of their last change.
type batch struct {
	frames [][]byte
	at     map[string]int
}

func (b *batch) armed() bool { return len(b.frames) == 1 }

func (b *batch) add(m proto.Message, data []byte) {
	data = bytes.Clone(data)
	if e, ok := m.(*eventv1.WatchEventsResponse); ok && e.GetEvent() != nil {
		name := e.GetEvent().GetResource()
		if old, ok := b.at[name]; ok {
			b.frames[old] = nil
		}
		b.at[name] = len(b.frames)
	}
	b.frames = append(b.frames, data)
}

func (b *batch) take() []byte {
	if len(b.frames) == 0 {
		return nil
	}
	var kept [][]byte
	for _, f := range b.frames {
		if f != nil {
			kept = append(kept, f)
		}
	}
	clear(b.at)
	b.frames = b.frames[:0]
	return append(append([]byte("["), bytes.Join(kept, []byte(","))...), ']')
}
