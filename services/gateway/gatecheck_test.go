package gateway_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
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
	answered := w.held(t)
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

// held begins a check that waits for up to a minute; its code comes when it is answered.
func (w *world) held(t *testing.T) <-chan int {
	t.Helper()
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
	return answered
}

func TestAHeldGateCheckEndsOnWhatLasts(t *testing.T) {
	t.Parallel()
	w := setup(t)
	b := w.implementation
	asked := func() int {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.asked
	}
	again := func(than int) {
		t.Helper()
		require.Eventually(t, func() bool { return asked() > than }, 10*time.Second, 5*time.Millisecond)
	}
	b.say(gatev1.Verdict_WAIT)
	answered := w.held(t)
	again(1) // the check asked once, and is held by now
	for _, passing := range []error{
		fault.Unavailable("DOWN", "down; ask again"), fault.Deadline("SLOW", "slow; ask again"), fault.Internal("BROKEN", "broken"),
		fault.Exhausted("BUSY", "busy; ask again"), fault.Conflict("OVERTAKEN", "overtaken; ask again"),
	} {
		b.failWith(passing)
		before := asked()
		b.say(gatev1.Verdict_WAIT)
		again(before)
	}
	b.failWith(nil)
	b.say(gatev1.Verdict_PASS)
	require.Equal(t, http.StatusOK, <-answered)

	b.say(gatev1.Verdict_WAIT)
	before := asked()
	answered = w.held(t)
	again(before + 1)
	b.failWith(fault.NotFound("RESOURCE_NOT_FOUND", "it was deleted"))
	b.say(gatev1.Verdict_WAIT)
	require.Equal(t, http.StatusNotFound, <-answered)
}

// example reads one, with the key of a secret address filled in and the server of the test for that of the example.
func (w *world) example(tb testing.TB, file string, into any) {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("../../examples/gate-check", file))
	require.NoError(tb, err)
	require.NoError(tb, yaml.Unmarshal([]byte(strings.ReplaceAll(string(text), "https://golive.example.com", w.url)), into))
}

// As Flagger does it: a POST of its own JSON without any header for us, good when the code is at most 202.
func TestFlaggersExampleIsAnswered(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var canary struct {
		Spec struct {
			Analysis struct {
				Webhooks []struct{ Type, URL, Timeout string }
			}
		}
	}
	w.example(t, "flagger-canary.yaml", &canary)
	keys := map[string]string{
		"confirm-rollout":   w.key(t, "workspaces/default/implementations/crm-rollout/cohortPlans/sales", "gate.gates.evaluate", "gate.gates.watch"),
		"confirm-promotion": w.key(t, "workspaces/default/environments/prod", "gate.gates.evaluate", "gate.gates.watch"),
	}
	require.Len(t, canary.Spec.Analysis.Webhooks, len(keys))
	for state, good := range map[gatev1.Verdict_State]bool{gatev1.Verdict_PASS: true, gatev1.Verdict_WAIT: false, gatev1.Verdict_UNKNOWN: false} {
		w.implementation.say(state)
		w.deployment.say(state)
		for _, hook := range canary.Spec.Analysis.Webhooks {
			_, err := time.ParseDuration(hook.Timeout)
			require.NoError(t, err)
			path := strings.TrimPrefix(strings.ReplaceAll(hook.URL, "KEY", keys[hook.Type]), w.url)
			got := w.as(t, "", http.MethodPost, path, `{"name":"crm","namespace":"shop","phase":"Waiting","checksum":"85d557f47b","metadata":{"timeout":"15s"}}`, "Content-Type", "application/json")
			require.Equal(t, good, got.code <= http.StatusAccepted, "%s %s: %d %s", hook.Type, state, got.code, got.body)
		}
	}
}

// As Argo Rollouts does it: a GET, where every code outside of 200 to 299 is an error, and a path in the JSON.
func TestArgosExampleIsAnswered(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var template struct {
		Spec struct {
			Args    []struct{ Name string }
			Metrics []struct {
				SuccessCondition, FailureCondition string
				Provider                           struct {
					Web struct {
						URL      string
						JSONPath string `yaml:"jsonPath"`
					}
				}
			}
		}
	}
	w.example(t, "argo-analysis-template.yaml", &template)
	require.Equal(t, "gate", template.Spec.Args[0].Name)
	metric := template.Spec.Metrics[0].Provider.Web
	require.Equal(t, "{$.state}", metric.JSONPath)
	secret := aPlan + "?key=" + w.key(t, planName, "gate.gates.evaluate", "gate.gates.watch") // as golive gate url prints it
	path := strings.ReplaceAll(metric.URL, "{{args.gate}}", secret)
	for _, state := range []gatev1.Verdict_State{gatev1.Verdict_PASS, gatev1.Verdict_WAIVED, gatev1.Verdict_WAIT, gatev1.Verdict_FAIL, gatev1.Verdict_UNKNOWN} {
		w.implementation.say(state)
		got := w.as(t, "", http.MethodGet, path, "")
		require.Equal(t, http.StatusOK, got.code, got.body)
		var body struct{ State string }
		require.NoError(t, json.Unmarshal([]byte(got.body), &body))
		require.Equal(t, state.String(), body.State)
	}
}

// As curl does it in a step: a token in a header, held until the gate turns.
func TestTheStepOfGitHubIsAnswered(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Env map[string]string
				Run string
			}
		}
	}
	w.example(t, "github-actions.yaml", &workflow)
	step := workflow.Jobs["deploy"].Steps[0]
	require.Contains(t, step.Run, "$GATE?wait=10m")
	got := w.do(t, http.MethodGet, strings.TrimPrefix(step.Env["GATE"], w.url)+"?wait=10m", "")
	require.Equal(t, http.StatusOK, got.code, got.body)
}
