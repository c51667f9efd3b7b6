package risk

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// block is how many iterations share a stream. It is part of the answer: with
// another size the same seed gives other draws.
const block = 100

// stream is where the random numbers of one task or one stage come from. It
// follows from the seed and the name alone, so that a task that is added, removed
// or moved leaves the draws of the others as they were.
type stream struct{ high, low uint64 }

// The kinds keep a task and a stage of the same name apart.
const (
	ofTask  = "task"
	ofStage = "stage"
)

func newStream(seed int64, kind, name string) stream {
	data := binary.BigEndian.AppendUint64(nil, uint64(seed)) //nolint:gosec // its bits
	sum := sha256.Sum256(append(append(data, kind...), "\x00"+name...))
	return stream{binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])}
}

// normals fills a block's part of the stream, whoever computes it and when.
func (s stream) normals(number int, into []float64) {
	n := uint64(number)                                     //nolint:gosec // blocks count from 0
	r := rand.New(rand.NewPCG(mix(s.high+n), mix(s.low^n))) //nolint:gosec // dice, and the same ones every time
	for i := range into {
		into[i] = r.NormFloat64()
	}
}

// mix is the finalizer of SplitMix64: neighbouring numbers become unrelated ones,
// which the seeds of a linear congruential generator have to be.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
