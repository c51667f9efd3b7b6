package gate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/types/known/durationpb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	"github.com/golive-dev/golive/services/deployment/internal/gate"
	"github.com/golive-dev/golive/services/deployment/internal/rating"
	"github.com/golive-dev/golive/services/deployment/internal/store"
)

const (
	ws      = "workspaces/w"
	prod    = ws + "/environments/prod"
	staging = ws + "/environments/staging"
	shop    = ws + "/applications/shop"
	v2      = shop + "/releases/v2"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// asking is the question of one gate, given as text.
func asking(t *testing.T, rule string) gate.Question {
	t.Helper()
	r := &deploymentv1.GateRule{}
	require.NoError(t, prototext.Unmarshal([]byte(rule), r))
	r.Id = "g"
	return gate.Question{
		Deployment: &deploymentv1.Deployment{Name: shop + "/deployments/d", Release: v2, Environment: prod},
		Wave:       &deploymentv1.Wave{Name: shop + "/deployments/d/waves/all", Rule: &deploymentv1.WaveRule{Id: "all", MaxParallel: 2}},
		Rule:       r,
	}
}

// stand is what stands on the targets t0, t1 and so on.
func stand(all ...store.Standing) []store.Standing {
	for i := range all {
		all[i].Target = fmt.Sprintf("%s/targets/t%d", prod, i)
	}
	return all
}

// row is one case: what is judged, and what must come of it. wants is part of the only reason's current.
type row struct {
	name    string
	verdict *gatev1.Verdict
	state   gatev1.Verdict_State
	wants   string
}

func check(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, r.state.String(), r.verdict.GetState().String(), "%v", r.verdict)
			require.NotEmpty(t, r.verdict.GetEvidence(), "a verdict without evidence")
			if r.state == gatev1.Verdict_PASS {
				require.Empty(t, r.verdict.GetReasons())
				return
			}
			require.NotEmpty(t, r.verdict.GetReasons(), "it waits without a reason")
			var said []string
			for _, b := range r.verdict.GetReasons() {
				require.NotEmpty(t, b.GetResource(), "%v", b)
				require.NotEmpty(t, b.GetRequired(), "%v", b)
				require.NotEmpty(t, b.GetOwner(), "%v", b)
				require.NotZero(t, b.GetKind(), "%v", b)
				said = append(said, b.GetCurrent())
			}
			require.Contains(t, strings.Join(said, "\n"), r.wants)
		})
	}
}

func TestPriorEnvironment(t *testing.T) {
	t.Parallel()
	well := func(since time.Duration) store.Standing {
		return store.Standing{Release: v2, Version: "2.0.0", Well: true, Sealed: true, Since: noon.Add(-since)}
	}
	judge := func(rule string, f gate.PriorEnvironmentFacts) *gatev1.Verdict {
		q := asking(t, rule)
		if f.Environment == "" {
			f.Environment = staging
		}
		return gate.JudgePriorEnvironment(q, q.Rule.GetPriorEnvironment(), f, noon)
	}
	sick, unsealed, other := well(time.Hour), well(time.Hour), well(time.Hour)
	sick.Well, unsealed.Sealed, other.Release = false, false, shop+"/releases/v1"
	hour := `prior_environment { healthy_for { seconds: 3600 } installations: 2 }`
	up := &deploymentv1.Availability{Availability: 0.9995, State: gatev1.Verdict_PASS, Reason: "99.950 % up"}
	down := &deploymentv1.Availability{Availability: 0.99, State: gatev1.Verdict_FAIL, Reason: "99.000 % up"}
	check(t, []row{
		{"it has stood long enough on enough", judge(hour, gate.PriorEnvironmentFacts{Standing: stand(well(time.Hour), well(2*time.Hour))}), gatev1.Verdict_PASS, ""},
		{"it has stood long enough on too few", judge(hour, gate.PriorEnvironmentFacts{Standing: stand(well(time.Hour), well(59*time.Minute))}), gatev1.Verdict_WAIT, "on 2 of 2 in staging, on 1 for 1h0m0s"},
		{"one is not healthy", judge(hour, gate.PriorEnvironmentFacts{Standing: stand(well(time.Hour), sick)}), gatev1.Verdict_WAIT, "on 1 of 2"},
		{"one is not sealed", judge(hour, gate.PriorEnvironmentFacts{Standing: stand(well(time.Hour), unsealed)}), gatev1.Verdict_WAIT, "on 1 of 2"},
		{"one runs another release", judge(hour, gate.PriorEnvironmentFacts{Standing: stand(well(time.Hour), other)}), gatev1.Verdict_WAIT, "on 1 of 2"},
		{"nothing stands there", judge(`prior_environment {}`, gate.PriorEnvironmentFacts{}), gatev1.Verdict_WAIT, "on 0 of 0"},
		{"the soak of the environment counts where the rule is silent", judge(`prior_environment {}`, gate.PriorEnvironmentFacts{Soak: time.Hour, Standing: stand(well(time.Minute))}), gatev1.Verdict_WAIT, "on 0 for 1h0m0s"},
		{"a rule of no time overrides the soak", judge(`prior_environment { healthy_for {} }`, gate.PriorEnvironmentFacts{Soak: time.Hour, Standing: stand(well(0))}), gatev1.Verdict_PASS, ""},
		{"it was up enough", judge(`prior_environment { availability: 0.999 }`, gate.PriorEnvironmentFacts{Standing: stand(well(0)), Availability: up}), gatev1.Verdict_PASS, ""},
		{"it was not up enough", judge(`prior_environment { availability: 0.999 }`, gate.PriorEnvironmentFacts{Standing: stand(well(0)), Availability: down}), gatev1.Verdict_WAIT, "99.000 % up"},
		{"nothing was observed", judge(`prior_environment { availability: 0.999 }`, gate.PriorEnvironmentFacts{Standing: stand(well(0))}), gatev1.Verdict_WAIT, "nothing was observed"},
	})
	v := judge(hour, gate.PriorEnvironmentFacts{Standing: stand(well(30*time.Minute), well(50*time.Minute))})
	require.Equal(t, noon.Add(30*time.Minute), v.GetReasons()[0].GetEta().AsTime(), "when the second of two has stood long enough")
	q := asking(t, `prior_environment {}`)
	require.Equal(t, gatev1.Verdict_FAIL, gate.JudgePriorEnvironment(q, q.Rule.GetPriorEnvironment(), gate.PriorEnvironmentFacts{}, noon).GetState(), "without an environment before it can never open")
}

func TestDependency(t *testing.T) {
	t.Parallel()
	at := func(version string) store.Standing { return store.Standing{Version: version, Well: true} }
	sick := at("2.0.0")
	sick.Well = false
	judge := func(each bool, targets int, standing ...store.Standing) *gatev1.Verdict {
		q := asking(t, fmt.Sprintf(`dependency { application: "%s/applications/billing" version: "1.10.0" on_each_target: %t }`, ws, each))
		f := gate.DependencyFacts{Standing: stand(standing...)}
		for i := range targets {
			f.Targets = append(f.Targets, fmt.Sprintf("%s/targets/t%d", prod, i))
		}
		return gate.JudgeDependency(q, q.Rule.GetDependency(), f)
	}
	check(t, []row{
		{"all at the version", judge(false, 0, at("1.10.0"), at("2.0.0")), gatev1.Verdict_PASS, ""},
		{"numbers compare as numbers", judge(false, 0, at("1.9.0")), gatev1.Verdict_WAIT, "1 of 1 do not: t0 (1.9.0)"},
		{"a release candidate comes before the release", judge(false, 0, at("1.10.0-rc.1")), gatev1.Verdict_WAIT, "1.10.0-rc.1"},
		{"build data does not count", judge(false, 0, at("1.10.0+b7")), gatev1.Verdict_PASS, ""},
		{"one behind", judge(false, 0, at("1.10.0"), at("1.2.0")), gatev1.Verdict_WAIT, "1 of 2 do not"},
		{"not healthy", judge(false, 0, sick), gatev1.Verdict_WAIT, "not healthy"},
		{"it runs nowhere", judge(false, 0), gatev1.Verdict_WAIT, "billing runs nowhere in prod"},
		{"each target has it", judge(true, 2, at("1.10.0"), at("1.11.0")), gatev1.Verdict_PASS, ""},
		{"one target does not have it", judge(true, 2, at("1.10.0")), gatev1.Verdict_WAIT, "t1 (does not run it)"},
		{"others that are behind do not matter to each target", judge(true, 1, at("1.10.0"), at("0.1.0")), gatev1.Verdict_PASS, ""},
	})
}

func TestCapacity(t *testing.T) {
	t.Parallel()
	judge := func(rule string, f gate.CapacityFacts) *gatev1.Verdict {
		q := asking(t, "capacity { "+rule+" }")
		return gate.JudgeCapacity(q, q.Rule.GetCapacity(), f)
	}
	check(t, []row{
		// Two at a time are away of ten: 8 x 100 / 500 = 1.6.
		{"enough stays up", judge(`forecast_peak: 500`, gate.CapacityFacts{Instances: 10, Touched: 5, Peak: 100}), gatev1.Verdict_PASS, ""},
		// 3 x 100 / 300 = 1.0.
		{"too few stay up", judge(`forecast_peak: 300`, gate.CapacityFacts{Instances: 5, Touched: 5, Peak: 100}), gatev1.Verdict_WAIT, "headroom 1.00: 3 of 5 instances"},
		{"the new one is up before the old one goes", judge(`forecast_peak: 300`, gate.CapacityFacts{Instances: 5, Touched: 5, Peak: 100, BlueGreen: true}), gatev1.Verdict_PASS, ""},
		{"exactly as much as is asked for", judge(`forecast_peak: 300 min_headroom: 1`, gate.CapacityFacts{Instances: 5, Touched: 5, Peak: 100}), gatev1.Verdict_PASS, ""},
		{"a wave of targets that run nothing yet takes nothing away", judge(`forecast_peak: 400`, gate.CapacityFacts{Instances: 5, Peak: 100}), gatev1.Verdict_PASS, ""},
		{"nothing runs", judge(`forecast_peak: 1`, gate.CapacityFacts{Peak: 100}), gatev1.Verdict_WAIT, "0 of 0"},
		{"the load test failed", judge(`forecast_peak: 1`, gate.CapacityFacts{Instances: 9, Curve: &gate.Load{Problem: "it answers nothing with success"}}), gatev1.Verdict_WAIT, "it answers nothing with success"},
	})
}

func TestCompatibility(t *testing.T) {
	t.Parallel()
	q := asking(t, `compatibility {}`)
	release := &deploymentv1.Release{Name: v2, Requirements: &deploymentv1.Requirements{MemoryBytes: 1 << 30}}
	hosts := func(n, small int) []*deploymentv1.Target {
		var out []*deploymentv1.Target
		for i := range n {
			facts := &deploymentv1.HostFacts{Os: "linux", Arch: "amd64", MemoryBytes: 2 << 30}
			if i < small {
				facts.MemoryBytes = 512 << 20
			}
			out = append(out, &deploymentv1.Target{Name: fmt.Sprintf("%s/targets/t%03d", prod, i), Facts: facts})
		}
		return out
	}
	judge := func(n, small int) *gatev1.Verdict {
		return gate.JudgeCompatibility(q, gate.CompatibilityFacts{Release: release, Targets: hosts(n, small)})
	}
	check(t, []row{
		{"all can", judge(3, 0), gatev1.Verdict_PASS, ""},
		{"one cannot, with why", judge(3, 1), gatev1.Verdict_WAIT, "memory: has 512.0 MiB, needs 1.0 GiB"},
		{"many cannot", judge(200, 120), gatev1.Verdict_WAIT, "110 more targets cannot run it"},
	})
	v := judge(200, 120)
	require.Len(t, v.GetReasons(), 11, "a page of reasons helps nobody")
	require.Len(t, v.GetEvidence(), 101, "the evidence names more, and has an end too")
	require.Equal(t, prod+"/targets/t000", v.GetReasons()[0].GetResource())
}

func TestMigration(t *testing.T) {
	t.Parallel()
	q := asking(t, `migration {}`)
	judge := func(states ...deploymentv1.MigrationRun_State) *gatev1.Verdict {
		f := gate.MigrationFacts{Runs: map[string]*deploymentv1.MigrationRun{}}
		for i, s := range states {
			id := fmt.Sprintf("m%d", i)
			f.IDs = append(f.IDs, id)
			if s != 0 {
				f.Runs[id] = &deploymentv1.MigrationRun{State: s}
			}
		}
		return gate.JudgeMigration(q, f)
	}
	check(t, []row{
		{"none is needed", judge(), gatev1.Verdict_PASS, ""},
		{"all done", judge(deploymentv1.MigrationRun_DONE, deploymentv1.MigrationRun_DONE), gatev1.Verdict_PASS, ""},
		{"one never ran", judge(deploymentv1.MigrationRun_DONE, 0), gatev1.Verdict_WAIT, "migration m1 is not run"},
		{"one runs", judge(deploymentv1.MigrationRun_RUNNING), gatev1.Verdict_WAIT, "migration m0 is running"},
		{"one was interrupted", judge(deploymentv1.MigrationRun_INTERRUPTED), gatev1.Verdict_WAIT, "migration m0 is interrupted"},
		{"one was taken back", judge(deploymentv1.MigrationRun_REVERTED), gatev1.Verdict_WAIT, "migration m0 is reverted"},
	})
	require.Equal(t, "operators", judge(deploymentv1.MigrationRun_INTERRUPTED).GetReasons()[0].GetOwner(), "an interrupted one waits for a person")
}

func TestFeedback(t *testing.T) {
	t.Parallel()
	judge := func(rule string, up, rest rating.Histogram) *gatev1.Verdict {
		q := asking(t, "feedback { "+rule+" }")
		return gate.JudgeFeedback(q, q.Rule.GetFeedback(), gate.FeedbackFacts{Upgraded: up, Rest: rest})
	}
	good, bad, few := rating.Histogram{0, 0, 2, 10, 8}, rating.Histogram{10, 8, 2, 0, 0}, rating.Histogram{0, 0, 0, 1, 1}
	check(t, []row{
		{"enough ratings, nothing else asked", judge(``, good, rating.Histogram{}), gatev1.Verdict_PASS, ""},
		{"too few", judge(``, few, rating.Histogram{}), gatev1.Verdict_WAIT, "2 have rated it"},
		{"nobody", judge(`min_rating: 4`, rating.Histogram{}, rating.Histogram{}), gatev1.Verdict_WAIT, "0 have rated it"},
		{"rated well enough", judge(`min_rating: 4`, good, rating.Histogram{}), gatev1.Verdict_PASS, ""},
		{"a little too low may still rise", judge(`min_rating: 4.4`, good, rating.Histogram{}), gatev1.Verdict_WAIT, "rated 4.30"},
		{"surely too low", judge(`min_rating: 4`, bad, rating.Histogram{}), gatev1.Verdict_FAIL, "rated 1.60"},
		{"no lower than the rest", judge(`max_drop: 0.5`, good, good), gatev1.Verdict_PASS, ""},
		{"the same, but too few to be sure", judge(`max_drop: 0.1`, good, good), gatev1.Verdict_WAIT, "+0.00"},
		{"much lower than the rest", judge(`max_drop: 0.5`, bad, good), gatev1.Verdict_FAIL, "-2.70"},
		{"nobody rated what was before", judge(`max_drop: 0.5`, good, rating.Histogram{}), gatev1.Verdict_UNDECIDED, "too few"},
	})
}

func TestIntegrity(t *testing.T) {
	t.Parallel()
	q := asking(t, `integrity {}`)
	right := gate.ArtifactFacts{SHA256: "ab", Platform: "linux/amd64", Looked: "read again"}
	missing := gate.ArtifactFacts{SHA256: "cd", Platform: "linux/arm64", Problem: "is missing; upload it again"}
	check(t, []row{
		{"all right", gate.JudgeIntegrity(q, gate.IntegrityFacts{Artifacts: []gate.ArtifactFacts{right}}), gatev1.Verdict_PASS, ""},
		{"one is missing", gate.JudgeIntegrity(q, gate.IntegrityFacts{Artifacts: []gate.ArtifactFacts{right, missing}}), gatev1.Verdict_FAIL, "the archive cd for linux/arm64 is missing"},
		{"signed", gate.JudgeIntegrity(q, gate.IntegrityFacts{Signed: true}), gatev1.Verdict_PASS, ""},
		{"a signature that does not hold", gate.JudgeIntegrity(q, gate.IntegrityFacts{Signed: true, Signature: "the manifest has expired"}), gatev1.Verdict_FAIL, "expired"},
	})
}

func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	q := asking(t, `webhook { url: "https://change.example.com/secret?token=1" ttl { seconds: 60 } }`)
	judge := func(status int, body string) *gatev1.Verdict {
		return gate.JudgeWebhook(q, q.Rule.GetWebhook(), gate.WebhookFacts{Status: status, Body: []byte(body)}, noon)
	}
	check(t, []row{
		{"200", judge(200, "whatever"), gatev1.Verdict_PASS, ""},
		{"403 with reasons", judge(403, `{"reasons": ["change 17 is open", "no backup"]}`), gatev1.Verdict_WAIT, "change 17 is open\nno backup"},
		{"403 with one reason", judge(403, `{"reason": "freeze"}`), gatev1.Verdict_WAIT, "freeze"},
		{"403 with text", judge(403, "not\n today\x07"), gatev1.Verdict_WAIT, "not today"},
		{"403 with nothing", judge(403, ""), gatev1.Verdict_WAIT, "gives no reason"},
		{"403 with a book", judge(403, strings.Repeat("x", 4000)), gatev1.Verdict_WAIT, strings.Repeat("x", 500) + "…"},
		{"204 is not 200", judge(204, ""), gatev1.Verdict_UNKNOWN, "answered 204"},
		{"a redirect", judge(302, ""), gatev1.Verdict_UNKNOWN, "answered 302"},
		{"500", judge(500, "stack"), gatev1.Verdict_UNKNOWN, "answered 500"},
		{"silence", gate.JudgeWebhook(q, q.Rule.GetWebhook(), gate.WebhookFacts{Silence: "it cannot be reached"}, noon), gatev1.Verdict_UNKNOWN, "cannot be reached"},
	})
	v := judge(403, "no")
	require.Equal(t, durationpb.New(time.Minute).AsDuration(), v.GetTtl().AsDuration())
	require.NotContains(t, v.String(), "token", "what an address keeps secret is shown to nobody")
}

func TestRule(t *testing.T) {
	t.Parallel()
	q := asking(t, `rule { expression: "counts.total < 10" message: "at most nine at once" }`)
	check(t, []row{
		{"true", gate.JudgeRule(q, q.Rule.GetRule(), true, ""), gatev1.Verdict_PASS, ""},
		{"false", gate.JudgeRule(q, q.Rule.GetRule(), false, ""), gatev1.Verdict_WAIT, "at most nine at once"},
		{"without an answer", gate.JudgeRule(q, q.Rule.GetRule(), false, "it was given up"), gatev1.Verdict_UNDECIDED, "it was given up"},
	})
}
