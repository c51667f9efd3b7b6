package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/golive-dev/golive/pkg/outbound"
	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/rollout"
)

const (
	defaultWebhookTimeout = 5 * time.Second
	// mostAnswer is how much of an answer is read, and mostReason how long one reason may be.
	mostAnswer = 64 << 10
	mostReason = 500
)

// webhookRequest is what a webhook is sent.
type webhookRequest struct {
	Gate        string          `json:"gate"`
	Deployment  string          `json:"deployment"`
	Release     string          `json:"release"`
	Environment string          `json:"environment"`
	Wave        json.RawMessage `json:"wave"`
}

// WebhookFacts is what a webhook answered. Status is 0 where it did not.
type WebhookFacts struct {
	Status int
	Body   []byte
	// Silence says why there is no answer.
	Silence string
}

// webhook asks a system outside.
func (g *Gates) webhook(ctx context.Context, ask Question, gate *deploymentv1.WebhookGate, now time.Time) *gatev1.Verdict {
	timeout := defaultWebhookTimeout
	if gate.GetTimeout() != nil {
		timeout = gate.GetTimeout().AsDuration()
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	facts, err := g.post(ctx, ask, gate)
	switch {
	case err == nil:
	case errors.Is(err, outbound.ErrRefused):
		facts.Silence = "its address is refused: this server does not ask there"
	case ctx.Err() != nil:
		facts.Silence = "it did not answer within " + timeout.String()
	default:
		facts.Silence = "it cannot be reached"
	}
	return JudgeWebhook(ask, gate, facts, now)
}

func (g *Gates) post(ctx context.Context, ask Question, gate *deploymentv1.WebhookGate) (f WebhookFacts, err error) {
	wave, err := protojson.Marshal(ask.Wave)
	if err != nil {
		return f, err
	}
	body, err := json.Marshal(webhookRequest{
		Gate: ask.Rule.GetId(), Deployment: ask.Deployment.GetName(), Release: ask.Deployment.GetRelease(), Environment: ask.Deployment.GetEnvironment(), Wave: wave,
	})
	if err != nil {
		return f, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, gate.GetUrl(), bytes.NewReader(body))
	if err != nil {
		return f, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "golive")
	answer, err := g.client.Do(req)
	if err != nil {
		return f, err
	}
	defer func() { _ = answer.Body.Close() }() // only read from
	f.Body, err = io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	if err != nil {
		return f, err
	}
	f.Status = answer.StatusCode
	return f, nil
}

// JudgeWebhook opens on 200 and stays closed on 403, with the reasons of the body. Anything else is no answer.
func JudgeWebhook(ask Question, gate *deploymentv1.WebhookGate, f WebhookFacts, now time.Time) *gatev1.Verdict {
	host := rollout.HostOf(gate.GetUrl())
	v := &gatev1.Verdict{Resource: ask.Wave.GetName(), Evidence: []*gatev1.Evidence{{Criterion: "webhook", Value: float64(f.Status), Threshold: http.StatusOK, Resource: host}}}
	switch f.Status {
	case http.StatusOK:
		v.State = gatev1.Verdict_PASS
	case http.StatusForbidden:
		v.State = gatev1.Verdict_WAIT
		for _, reason := range reasonsOf(f.Body) {
			v.Reasons = append(v.Reasons, &gatev1.BlockedBy{
				Kind: gatev1.BlockedBy_WEBHOOK, Resource: ask.Wave.GetName(), Current: reason, Required: "that " + host + " agrees", Owner: host,
			})
		}
	default:
		if f.Silence == "" {
			f.Silence = "it answered " + strconv.Itoa(f.Status) + ", which is neither 200 nor 403"
		}
		evidence := v.GetEvidence()
		v = rollout.Unheard(ask.Rule, ask.Wave.GetName(), f.Silence, now)
		v.Evidence = evidence
		v.Evidence[0].Detail = f.Silence
	}
	v.Evidence[0].State = v.GetState()
	if gate.GetTtl() != nil {
		v.Ttl = durationpb.New(gate.GetTtl().AsDuration())
	}
	return v
}

// reasonsOf reads {"reasons": ["…"]}, {"reason": "…"}, or the text itself. There is always one.
func reasonsOf(body []byte) []string {
	var answer struct {
		Reason  string   `json:"reason"`
		Reasons []string `json:"reasons"`
	}
	if json.Unmarshal(body, &answer) == nil {
		body = []byte(answer.Reason)
	} else {
		answer.Reasons = nil
	}
	var out []string
	for _, text := range append(answer.Reasons, string(body)) {
		if text = plain(text); text != "" && len(out) < shown {
			out = append(out, text)
		}
	}
	if len(out) == 0 {
		return []string{"it does not agree, and gives no reason"}
	}
	return out
}

// plain makes one short line of what somebody else wrote.
func plain(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, ""), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if runes := []rune(text); len(runes) > mostReason {
		return string(runes[:mostReason]) + "…"
	}
	return text
}
