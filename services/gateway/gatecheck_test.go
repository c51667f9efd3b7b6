package gateway_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

const (
	aPlan = "/v1/workspaces/default/implementations/crm/cohortPlans/sales:checkGate"
	aWave = "/v1/workspaces/default/applications/crm/deployments/d1/waves/w1:checkGate"
)

func TestAGateCheckAnswersByItsCode(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for state, code := range map[gatev1.Verdict_State]int{
		gatev1.Verdict_PASS: http.StatusOK, gatev1.Verdict_WAIVED: http.StatusOK,
		gatev1.Verdict_WAIT: http.StatusForbidden, gatev1.Verdict_FAIL: http.StatusForbidden, gatev1.Verdict_UNDECIDED: http.StatusForbidden,
		gatev1.Verdict_UNKNOWN: http.StatusServiceUnavailable,
	} {
		w.implementation.say(state)
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			got := w.do(t, method, aPlan, "")
			require.Equal(t, code, got.code, "%s %s", method, state)
			require.Contains(t, got.body, `"`+state.String()+`"`)
			if code != http.StatusOK {
				require.Contains(t, []string{"GATE_CLOSED", "GATE_UNKNOWN"}, got.reason())
				require.Contains(t, got.body, "12 of 20 trained; required: 18 of 20")
			}
			whole := w.do(t, method, aPlan+"?mode=body", "")
			require.Equal(t, http.StatusOK, whole.code, "the answer is in the body")
			require.Contains(t, whole.body, `"state":"`+state.String()+`"`)
		}
	}
}

func TestAGateCheckAsksTheOwner(t *testing.T) {
	t.Parallel()
	w := setup(t)
	require.Contains(t, w.do(t, http.MethodGet, aWave+"?purpose=technical", "").body, "deployment")
	got, _ := w.deployment.seen()
	require.Equal(t, gatev1.Purpose_PURPOSE_TECHNICAL, got.(*gatev1.EvaluateGateRequest).GetPurpose())
	require.Equal(t, "workspaces/default/applications/crm/deployments/d1/waves/w1", got.(*gatev1.EvaluateGateRequest).GetResource())
	require.Contains(t, w.do(t, http.MethodGet, aPlan, "").body, "implementation")
}

func TestAGateCheckIsRefusedAsEveryCallIs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	require.Equal(t, http.StatusUnauthorized, w.as(t, "", http.MethodGet, aPlan, "").code)
	w.implementation.failWith(fault.NotFound("RESOURCE_NOT_FOUND", "there is none; list what there is"))
	require.Equal(t, http.StatusNotFound, w.do(t, http.MethodGet, aPlan, "").code)
	w.implementation.failWith(fault.Unavailable("DOWN", "down; ask again"))
	require.Equal(t, http.StatusServiceUnavailable, w.do(t, http.MethodGet, aPlan, "").code)
	for query, says := range map[string]string{
		"?colour=red": "UNKNOWN_FIELD", "?wait=1s&wait=2s": "UNKNOWN_FIELD", "?wait=soon": "INVALID_QUERY", "?wait=11m": "INVALID_QUERY", "?wait=-1s": "INVALID_QUERY",
		"?mode=head": "INVALID_QUERY", "?purpose=FUN": "INVALID_QUERY", "?purpose=": "INVALID_QUERY",
	} {
		got := w.do(t, http.MethodGet, aPlan+query, "")
		require.Equal(t, http.StatusBadRequest, got.code, query)
		require.Contains(t, got.body, says, query)
	}
}

func TestAGateCheckTakesTheBodiesOfHooks(t *testing.T) {
	t.Parallel()
	w := setup(t)
	// As Flagger's confirm-rollout hook sends it.
	hook := `{"name": "podinfo", "namespace": "test", "phase": "Progressing", "checksum": "85d557f47b", "metadata": {}}`
	require.Equal(t, http.StatusOK, w.do(t, http.MethodPost, aPlan, hook).code)
	w.implementation.say(gatev1.Verdict_WAIT)
	require.Equal(t, http.StatusForbidden, w.do(t, http.MethodPost, aPlan, hook).code)
	require.Equal(t, http.StatusForbidden, w.do(t, http.MethodPost, aPlan, "this is no JSON").code, "nothing in it is read")
}

func TestAGateCheckWaitsUntilTheGateTurns(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.implementation.say(gatev1.Verdict_WAIT)
	check, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+aPlan+"?wait=1m", nil)
	require.NoError(t, err)
	check.Header.Set("Authorization", "Bearer "+w.token)
	answered := make(chan int, 1)
	go func() {
		resp, err := http.DefaultTransport.RoundTrip(check)
		if err != nil {
			answered <- 0
			return
		}
		_ = resp.Body.Close()
		answered <- resp.StatusCode
	}()
	require.Eventually(t, func() bool { got, _ := w.implementation.seen(); return got != nil }, 10*time.Second, 5*time.Millisecond)
	w.implementation.failWith(fault.Unavailable("DOWN", "down; ask again"))
	w.implementation.say(gatev1.Verdict_PASS)
	w.implementation.failWith(nil)
	select {
	case got := <-answered:
		require.Equal(t, http.StatusOK, got)
	case <-time.After(20 * time.Second):
		require.Fail(t, "the check did not hear that the gate turned")
	}

	w.implementation.say(gatev1.Verdict_WAIT)
	began := time.Now()
	require.Equal(t, http.StatusForbidden, w.do(t, http.MethodGet, aPlan+"?wait=1500ms", "").code)
	require.GreaterOrEqual(t, time.Since(began), 1500*time.Millisecond)
	w.implementation.say(gatev1.Verdict_FAIL)
	require.Equal(t, http.StatusForbidden, w.do(t, http.MethodGet, aPlan+"?wait=5m", "").code, "what cannot come is not waited for")
}

// What the examples ask is answered: the paths in them are routes, and what they read is in the body.
func TestTheExamplesOfOtherToolsAreAnswered(t *testing.T) {
	t.Parallel()
	w := setup(t)
	files, err := filepath.Glob("../../examples/gate-check/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 3)
	path := regexp.MustCompile(`/v1/\S+:checkGate(\?[a-z=]+)?`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var parsed any
		require.NoError(t, yaml.Unmarshal(text, &parsed), file)
		asked := path.FindAllString(strings.ReplaceAll(string(text), "{{args.gate}}", strings.TrimSuffix(strings.TrimPrefix(aPlan, "/v1/"), ":checkGate")), -1)
		require.NotEmpty(t, asked, file)
		for _, question := range asked {
			got := w.do(t, http.MethodGet, question, "")
			require.Equal(t, http.StatusOK, got.code, "%s: %s", file, question)
			require.Contains(t, got.body, `"state":"PASS"`)
		}
	}
}
