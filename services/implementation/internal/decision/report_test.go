package decision_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/decision"
	"github.com/golive-dev/golive/services/implementation/internal/weekly"
)

func TestTheReportSaysAllOfIt(t *testing.T) {
	d := conditionally(t)
	require.NoError(t, decision.Confirm(d, &implementationv1.ConfirmDecisionRequest{Condition: "train-the-rest", Note: "all twenty"}, "users/carol", noon().Add(time.Hour)))
	require.NoError(t, decision.Expire(d, "readiness of sales was WAIT, is FAIL", noon().Add(2*time.Hour)))
	require.NoError(t, decision.Override(d, &implementationv1.OverrideDecisionRequest{Reason: "the board", ExpireTime: in(4 * time.Hour)}, "users/eve", noon().Add(3*time.Hour)))
	page := decision.Report(d, noon().Add(3*time.Hour))
	for _, said := range []string{
		"# Does sales go live?", "**Expired** since 2026-03-02 14:00 UTC: readiness of sales was WAIT, is FAIL", "users/ada", "| Outcome | CONDITIONAL GO |",
		"## The people, as they were", "12 of 20 (60 %)", "90 %", "## The machines, as they were", "**prod**: PASS",
		"| train-the-rest | train the rest | users/carol | 2026-03-03 12:00 UTC | met at 2026-03-02 13:00 UTC (users/carol) | all twenty |",
		"| users/eve | the board | 2026-03-02 15:00 UTC | 2026-03-02 16:00 UTC | **holds** |",
		"- 2026-03-02 15:00 UTC: overridden by users/eve: the board", "the kept bytes match their digests", d.GetRecords()[0].GetEvidenceDigest(),
	} {
		require.Contains(t, page, said)
	}
	d.GetRecords()[0].GetEvidence()[0].Content[0] ^= 1
	require.Contains(t, decision.Report(d, noon()), "**the kept bytes do not match**")
	require.Contains(t, decision.Report(question(), noon()), "Nothing has been decided.")
}

func TestTheReportTakesWordsAsWords(t *testing.T) {
	const evil = "<script>alert(1)</script> ![x](http://evil.example/x.png) | **bold** `code`"
	d := question()
	d.DisplayName, d.Description, d.Owner = evil, evil, evil
	now := both(gatev1.Verdict_PASS, gatev1.Verdict_PASS)
	now[sales] = trained(gatev1.Verdict_PASS, evil)
	now[sales].Evidence[0].Criterion = evil
	w := word(implementationv1.Decision_OUTCOME_CONDITIONAL_GO, &implementationv1.DecisionCondition{Id: "a", DisplayName: evil, Owner: evil, DueTime: in(time.Hour)})
	w.Request.Reason, w.Person = evil, evil
	require.NoError(t, decision.Decide(d, w, frozen(t, now), noon()))
	require.NoError(t, decision.Confirm(d, &implementationv1.ConfirmDecisionRequest{Condition: "a", Note: evil}, evil, noon()))
	require.NoError(t, decision.Expire(d, evil, noon()))
	require.NoError(t, decision.Override(d, &implementationv1.OverrideDecisionRequest{Reason: evil, ExpireTime: in(time.Hour)}, evil, noon()))
	html, err := weekly.HTML(d.GetDisplayName(), decision.Report(d, noon()))
	require.NoError(t, err)
	for _, never := range []string{"<script", "<img", "src=", "href=", "url(", "@import", "<strong>bold"} {
		require.NotContains(t, html, never)
	}
	require.Contains(t, html, "@media print")
}
