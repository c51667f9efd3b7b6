package rollout

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/prototext"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
)

// TestScenarios replays the files in testdata: `> ` lines are plans, events and commands, the
// rest is what followed from them. Run with -update to accept new answers.
//
//	> plan <a Rollout as prototext>         > targets <cohort>=<target>,<target> …
//	> start                                 > rollback         (a new deployment that takes this one back)
//	> now +5s                               > why <wave>
//	> report <target>=<state> …             > health <target>=<health> …
//	> away <target> …                       > back <target> …
//	> runs <target> …                       > problem <a sentence of the preflight>
//	> verdict <cohort>=<state> [ttl=<d>]    > silent <cohort>
//	> decision <id>=<state> [current]       > silent <id>     (what is said to the wave that asks)
//	> measured <wave> <state> <sentence>
//	> gate <wave>/<gate>=<state> [current]  (what is asked or read about any other gate)
//	> catchup [<the deployment that may leave more>]
//	> ahead [<deployment>=<state> …]        > newer <the deployment that takes its place>
//	> approve <wave> <person>[:<roles>]     > change <wave>    (it becomes something else than was approved)
//	                                        > reject <wave> <person> <reason>
//	> policy <id> [a Policy as prototext] > override <an Override as prototext>|-<name>    > hotfix
//	> pause|resume|cancel|abandon [reason]  > skip <wave> <reason>        > retry <target>
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			have, err := os.ReadFile(file)
			require.NoError(t, err)
			s := &scenario{TB: t}
			for line := range strings.Lines(string(have)) {
				switch {
				case strings.HasPrefix(line, "#"), line == "\n":
					s.out.WriteString(line)
				case strings.HasPrefix(line, "> "):
					s.out.WriteString(line)
					verb, rest, _ := strings.Cut(strings.TrimSpace(line[2:]), " ")
					s.command(verb, rest)
				}
			}
			golden(t, filepath.Base(file), s.out.String())
		})
	}
}

// scenario is what the lines of a file build up.
type scenario struct {
	testing.TB
	*sim
	out     strings.Builder
	rollout *deploymentv1.Rollout
	cohorts map[string]string
	// policies and overrides bind the deployment; a policy that is given without its text is removed.
	policies  map[string]*deploymentv1.Policy
	overrides []*deploymentv1.Override
	// printed is what was last said about each thing, so that only news is said.
	printed map[string]string
}

func (s *scenario) command(verb, rest string) {
	words := strings.Fields(rest)
	switch verb {
	case "plan":
		s.rollout = &deploymentv1.Rollout{}
		require.NoError(s, prototext.Unmarshal([]byte(rest), s.rollout))
	case "targets":
		s.cohorts = map[string]string{}
		for cohort, names := range pairs(words) {
			for name := range strings.SplitSeq(names, ",") {
				s.cohorts[name] = cohort
			}
		}
		var err error
		s.sim, err = newSim(s.rollout, s.cohorts)
		require.NoError(s, err)
		s.note = func(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }
		s.printed = map[string]string{}
	case "catchup":
		s.Deployment.Kind, s.growing = deploymentv1.Deployment_CATCH_UP, rest
	case "rollback":
		f := s.facts()
		back := rollbackOf(s.sim)
		s.act(TakeBack(&s.State, f, "rolled back"))
		s.show()
		s.out.WriteString("-- the rollback --\n")
		s.sim, s.printed = back, map[string]string{}
		s.goOn()
	default:
		s.event(verb, rest, words)
	}
}

// event is something that happens to a deployment; it goes on afterwards.
func (s *scenario) event(verb, rest string, words []string) {
	switch verb {
	case "start":
	case "why":
		for _, b := range s.wave(rest).GetBlockedBy() {
			fmt.Fprintf(&s.out, "  %s %s: %s\n", b.GetKind(), lastSegment(b.GetResource()), b.GetCurrent())
		}
	case "now":
		d, err := time.ParseDuration(strings.TrimPrefix(rest, "+"))
		require.NoError(s, err)
		s.now = s.now.Add(d)
	case "report":
		for name, state := range pairs(words) {
			to := InstallationState(deploymentv1.Installation_State_value[state])
			m := s.member(name)
			silence := to == deploymentv1.Installation_UNKNOWN || to == deploymentv1.Installation_LOST
			require.True(s, Reported(m.state, to) || silence && installationMoves.allows(m.state, to), "%s is %s", name, m.state)
			m.state = to
		}
	case "health":
		for name, health := range pairs(words) {
			s.member(name).health = deploymentv1.Installation_Health(deploymentv1.Installation_Health_value[health])
		}
	case "away", "back", "runs":
		for _, name := range words {
			m := s.member(name)
			m.away, m.runs = verb == "away", verb == "runs"
		}
	case "measured":
		name := s.wave(words[0]).GetName()
		v := &gatev1.Verdict{Resource: name, State: gatev1.Verdict_State(gatev1.Verdict_State_value[words[1]])}
		if v.GetState() != gatev1.Verdict_PASS {
			v.Reasons = []*gatev1.BlockedBy{{
				Kind: gatev1.BlockedBy_ANALYSIS, Resource: name + "/analyses/errors", Current: strings.Join(words[2:], " "),
				Required: "errors at most 50 % worse than the baseline", Owner: "time",
			}}
		}
		s.analyses[name] = v
	case "policy", "override", "hotfix":
		s.binds(verb, rest)
	case "ahead":
		s.ahead = nil
		for name, state := range pairs(words) {
			s.ahead = append(s.ahead, Ahead{Name: "workspaces/w/applications/a/deployments/" + name, State: DeploymentState(deploymentv1.Deployment_State_value[state])})
		}
	case "newer":
		s.Deployment.SupersededBy = rest
	case "problem":
		s.problems = append(s.problems, rest)
	default:
		s.person(verb, rest, words)
	}
	s.goOn()
}

// person is something that somebody does.
func (s *scenario) person(verb, rest string, words []string) {
	var err error
	switch verb {
	case "verdict":
		ttl := 5 * time.Minute
		for key, value := range pairs(words[1:]) {
			require.Equal(s, "ttl", key)
			ttl, err = time.ParseDuration(value)
		}
		for plan, state := range pairs(words[:1]) {
			s.say(plan, gatev1.Verdict_State(gatev1.Verdict_State_value[state]), ttl)
		}
	case "decision":
		for id, state := range pairs(words[:1]) {
			s.sayDecided(id, gatev1.Verdict_State(gatev1.Verdict_State_value[state]), strings.Join(words[1:], " "))
		}
	case "silent":
		delete(s.verdicts, simPlans+rest)
		delete(s.verdicts, simDecisions+rest)
	case "approve", "reject":
		name := s.wave(words[0]).GetName()
		person, roles, _ := strings.Cut(words[1], ":")
		s.approvals[name] = append(s.approvals[name], &deploymentv1.Approval{
			Principal: person, Approved: verb == "approve", Reason: strings.Join(words[2:], " "), Time: stamp(s.now),
			Digest: s.wave(words[0]).GetApprovalDigest(), Roles: strings.FieldsFunc(roles, func(r rune) bool { return r == ',' }),
		})
	case "change":
		s.wave(rest).ApprovalDigest += "x"
	case "gate":
		for gate, state := range pairs(words[:1]) {
			wave := s.wave(gate[:strings.IndexByte(gate, '/')])
			s.gates[gate] = closedBy(wave.GetName(), gatev1.Verdict_State(gatev1.Verdict_State_value[state]), strings.Join(words[1:], " "))
		}
	case "skip":
		err = s.skip(s.wave(words[0]), strings.Join(words[1:], " "))
	case "retry":
		require.True(s, s.retry(s.member(rest)), "%s cannot be tried again", rest)
	default:
		at := slices.IndexFunc(commands, func(c Command) bool { return c.String() == verb })
		require.GreaterOrEqual(s, at, 0, "no such command: %s", verb)
		err = Give(s.Deployment, commands[at], "users/alice", rest, s.now)
	}
	if err != nil {
		fmt.Fprintf(&s.out, "refused: %v\n", err)
	}
}

// goOn lets the deployment go on and says what is new.
func (s *scenario) goOn() {
	e := s.run()
	s.show()
	if !e.WakeAt.IsZero() {
		fmt.Fprintf(&s.out, "wake in %s\n", e.WakeAt.Sub(s.now))
	}
	if e.Free && s.printed["free"] == "" {
		s.printed["free"] = "yes"
		s.out.WriteString("the targets are free\n")
	}
}

func (s *scenario) show() {
	for _, w := range s.Waves {
		s.news("wave "+w.GetRule().GetId(), sentence(w.GetState(), w.GetStateReason(), w.GetStateMessage()))
	}
	d := s.Deployment
	s.news("deployment", sentence(d.GetState(), d.GetStateReason(), d.GetStateMessage()))
	if len(d.GetUnconfirmedTargets()) > 0 {
		s.news("unconfirmed", strings.Join(d.GetUnconfirmedTargets(), " "))
	}
	var blocked strings.Builder
	for _, b := range d.GetBlockedBy() {
		fmt.Fprintf(&blocked, "\n  %s %s: %s; required: %s; owner %s; since %s", b.GetKind(), lastSegment(b.GetResource()), b.GetCurrent(), b.GetRequired(),
			b.GetOwner(), b.GetSince().AsTime().Sub(noon))
	}
	s.news("blocked by", blocked.String())
}

func sentence(state fmt.Stringer, reason, message string) string {
	text := state.String()
	if reason != "" {
		text += " " + reason
	}
	if message != "" {
		text += ": " + message
	}
	return text
}

// news says something, unless it was said before.
func (s *scenario) news(about, text string) {
	if s.printed[about] == text {
		return
	}
	s.printed[about] = text
	if text == "" {
		text = " nothing"
	}
	fmt.Fprintf(&s.out, "%s %s\n", about, strings.TrimPrefix(text, " "))
}

// pairs yields what is left and right of each =, in their order.
func pairs(words []string) func(yield func(key, value string) bool) {
	return func(yield func(key, value string) bool) {
		for _, word := range words {
			if key, value, _ := strings.Cut(word, "="); !yield(key, value) {
				return
			}
		}
	}
}
