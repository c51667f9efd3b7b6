package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

const (
	checkVerb  = ":checkGate"
	checkRoute = "/v1/{resource=workspaces/*/**}" + checkVerb
	// longestWait is how long a check may hold its connection.
	longestWait = 10 * time.Minute
)

// check is what a gate check asks for.
type check struct {
	request *gatev1.EvaluateGateRequest
	wait    time.Duration // how long to wait for go
	body    bool          // the answer is in the body, and its code is always 200
}

// checkGate answers a gate in the way that other tools understand, by the code:
// 200 go, with the verdict; 403 not yet or no, with the reasons; 503 nobody knows. A
// POST is the same, whatever its body says: hooks send their own.
func (g *Gateway) checkGate(w http.ResponseWriter, r *http.Request, params map[string]string) {
	c, err := readCheck(params["resource"], r.URL.Query())
	if err != nil {
		g.writeProblem(w, err)
		return
	}
	if r.Method == http.MethodPost {
		_, _ = io.Copy(io.Discard, r.Body) // limited before; what a hook says about itself changes nothing
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(c.wait + requestTimeout))
	ctx, cancel := context.WithTimeout(g.annotate(r.Context(), r), c.wait+requestTimeout)
	defer cancel()
	v, err := g.await(ctx, c, r.Header.Get("Authorization"))
	if err == nil && !c.body && !opens(v) {
		err = closed(v)
	}
	if err != nil {
		g.writeProblem(w, err)
		return
	}
	data, err := marshalJSON(v)
	if err != nil {
		g.writeProblem(w, err)
		return
	}
	w.Header()["Content-Type"] = contentJSON
	_, _ = w.Write(data) //nolint:gosec // JSON, sent with nosniff
}

// closed is a gate that does not open, as an error: each reason is a violation of it.
func closed(v *gatev1.Verdict) error {
	if s := v.GetState(); s == gatev1.Verdict_UNKNOWN || s == gatev1.Verdict_STATE_UNSPECIFIED {
		return reasons(fault.Unavailable("GATE_UNKNOWN", "nobody can say whether %s may go on; ask again, or see why with golive why %s", v.GetResource(), v.GetResource()), v)
	}
	return reasons(fault.Precondition(reasonGateClosed, "%s says %s; golive why %s tells what helps", v.GetResource(), v.GetState(), v.GetResource()), v)
}

func reasons(f *fault.Error, v *gatev1.Verdict) error {
	for _, b := range v.GetReasons() {
		f = f.Subject(b.GetKind().String(), b.GetResource(), b.GetCurrent()+"; required: "+b.GetRequired())
	}
	return f.Meta("state", v.GetState().String())
}

// opens says that a verdict lets things go on.
func opens(v *gatev1.Verdict) bool {
	return v.GetState() == gatev1.Verdict_PASS || v.GetState() == gatev1.Verdict_WAIVED
}

// readCheck reads `purpose`, `wait` and `mode`, each at most once.
func readCheck(resource string, query url.Values) (check, error) {
	c := check{request: &gatev1.EvaluateGateRequest{Resource: resource}}
	for key, values := range query {
		if !slices.Contains([]string{"purpose", "wait", "mode"}, key) || len(values) != 1 {
			return c, fault.Invalid("UNKNOWN_FIELD", "%q is not a query parameter here; a gate check takes purpose, wait and mode, each once", key).
				Field(key, "is not a query parameter of a gate check")
		}
	}
	purpose, ok := gatev1.Purpose_value["PURPOSE_"+strings.TrimPrefix(strings.ToUpper(query.Get("purpose")), "PURPOSE_")]
	if !ok && query.Has("purpose") {
		return c, fault.Invalid("INVALID_QUERY", "there is no purpose %q; ask for READINESS, TECHNICAL or ALL", query.Get("purpose")).
			Field("purpose", "must be READINESS, TECHNICAL or ALL")
	}
	c.request.Purpose = gatev1.Purpose(purpose)
	if mode := query.Get("mode"); query.Has("mode") && mode != "body" {
		return c, fault.Invalid("INVALID_QUERY", "there is no mode %q; body always answers 200 with the verdict in the body", mode).
			Field("mode", "must be body")
	}
	c.body = query.Get("mode") == "body"
	if text := query.Get("wait"); query.Has("wait") {
		wait, err := time.ParseDuration(text)
		if err != nil || wait < 0 || wait > longestWait {
			return c, fault.Invalid("INVALID_QUERY", "wait is %q; write a time of at most 10m, such as 30s", text).
				Field("wait", "must be a duration from 0s to 10m").Cause(errors.Join(err))
		}
		c.wait = wait
	}
	return c, nil
}
