package evidence_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/evidence"
)

func verdict() *gatev1.Verdict {
	return &gatev1.Verdict{
		State: gatev1.Verdict_PASS, EvaluatedAt: timestamppb.Now(),
		Evidence: []*gatev1.Evidence{{Criterion: "trained", State: gatev1.Verdict_PASS, Numerator: 19, Denominator: 20}, {Criterion: "told", State: gatev1.Verdict_PASS}},
	}
}

func record(t *testing.T) *implementationv1.DecisionRecord {
	t.Helper()
	r := &implementationv1.DecisionRecord{Waves: []string{"w2", "w1"}}
	for _, name := range []string{"b", "a"} {
		e, err := evidence.Freeze(name, gatev1.Purpose_PURPOSE_READINESS, verdict())
		require.NoError(t, err)
		r.Evidence = append(r.GetEvidence(), e)
	}
	r.EvidenceDigest = evidence.Digest(r.GetEvidence(), r.GetWaves())
	return r
}

func TestWhatWasFrozenIsProved(t *testing.T) {
	require.Empty(t, evidence.Verify(record(t)))
	sent, err := proto.Marshal(record(t)) // as it comes over a wire or out of the event log
	require.NoError(t, err)
	r := &implementationv1.DecisionRecord{}
	require.NoError(t, proto.Unmarshal(sent, r))
	require.Empty(t, evidence.Verify(r))
	for name, change := range map[string]func(e *implementationv1.DecisionEvidence){
		"a byte":             func(e *implementationv1.DecisionEvidence) { e.Content[len(e.GetContent())-1] ^= 1 },
		"a digest":           func(e *implementationv1.DecisionEvidence) { e.Digest = "00" },
		"a gist":             func(e *implementationv1.DecisionEvidence) { e.GistDigest = "00" },
		"the verdict shown":  func(e *implementationv1.DecisionEvidence) { e.Verdict.State = gatev1.Verdict_FAIL },
		"what it is about":   func(e *implementationv1.DecisionEvidence) { e.Resource = "c" },
		"bytes that are not": func(e *implementationv1.DecisionEvidence) { e.Content = []byte{0xff} },
	} {
		t.Run(name, func(t *testing.T) {
			r := record(t)
			change(r.GetEvidence()[0])
			require.NotEmpty(t, evidence.Verify(r))
		})
	}
	r = record(t)
	r.Evidence = r.GetEvidence()[:1]
	require.NotEmpty(t, evidence.Verify(r), "a piece is missing")
	r = record(t)
	r.Waves = append(r.GetWaves(), "w3")
	require.NotEmpty(t, evidence.Verify(r), "a wave came later")
}

func TestNumbersAndTimesAreNotTheGist(t *testing.T) {
	was, is := verdict(), verdict()
	is.EvaluatedAt, is.Revision, is.Headcount = timestamppb.Now(), 7, 9
	is.Evidence[0], is.Evidence[1] = is.GetEvidence()[1], is.GetEvidence()[0]
	is.Evidence[1].Numerator, is.Evidence[1].Detail = 20, "all"
	require.Equal(t, evidence.Gist(was), evidence.Gist(is))
	is.Evidence[1].State = gatev1.Verdict_WAIT
	require.NotEqual(t, evidence.Gist(was), evidence.Gist(is))
}

// FuzzVerify: whatever somebody sends as a record, it is judged and not trusted.
func FuzzVerify(f *testing.F) {
	f.Add([]byte{}, "00")
	f.Add([]byte{0x18, 1}, "")
	f.Fuzz(func(t *testing.T, content []byte, digest string) {
		r := &implementationv1.DecisionRecord{
			EvidenceDigest: digest,
			Evidence:       []*implementationv1.DecisionEvidence{{Resource: "a", Content: content, Digest: digest, Verdict: &gatev1.Verdict{}}},
		}
		require.NotEmpty(t, evidence.Verify(r))
	})
}
