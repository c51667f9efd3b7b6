package evidence

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Verify computes every digest of a record again from the bytes that were kept, and says what does not match; nothing
// where all does.
func Verify(r *implementationv1.DecisionRecord) (wrong []string) {
	computed := make([]*implementationv1.DecisionEvidence, 0, len(r.GetEvidence()))
	for _, e := range r.GetEvidence() {
		is := sum(e.GetContent())
		computed = append(computed, &implementationv1.DecisionEvidence{Resource: e.GetResource(), Purpose: e.GetPurpose(), Digest: is})
		if is != e.GetDigest() {
			wrong = append(wrong, fmt.Sprintf("%s: the bytes have the digest %s, the record says %q", e.GetResource(), is, e.GetDigest()))
		}
		v := &gatev1.Verdict{}
		switch err := proto.Unmarshal(e.GetContent(), v); {
		case err != nil:
			wrong = append(wrong, e.GetResource()+": the bytes are no verdict")
		case !proto.Equal(v, e.GetVerdict()):
			wrong = append(wrong, e.GetResource()+": the verdict shown is not the one in the bytes")
		case v.GetResource() != e.GetResource() || v.GetPurpose() != e.GetPurpose():
			wrong = append(wrong, e.GetResource()+": the bytes are the verdict on "+v.GetResource())
		case sum([]byte(Gist(v))) != e.GetGistDigest():
			wrong = append(wrong, e.GetResource()+": what matters of the verdict is not what the record says")
		}
	}
	if is := Digest(computed, r.GetWaves()); is != r.GetEvidenceDigest() {
		wrong = append(wrong, fmt.Sprintf("all evidence and waves together have the digest %s, the record says %q", is, r.GetEvidenceDigest()))
	}
	return wrong
}
