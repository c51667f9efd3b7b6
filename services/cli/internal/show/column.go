package show

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/cli/internal/kind"
)

// column is one column of a table: the value at a path of fields, or what text makes of the message.
type column struct {
	head string
	path string
	wide bool // only in -o wide
	text func(Style, proto.Message) string
}

// columnsOf lists the columns between NAME and AGE.
func columnsOf(singular string) []column {
	title := column{head: "TITLE", path: "display_name"}
	owner := column{head: "OWNER", path: "owner"}
	switch singular {
	case "application":
		return []column{title, owner, {head: "PLAN", path: "default_plan"}}
	case "release":
		return []column{{head: "VERSION", path: "version"}, state(), {head: "PLATFORMS", text: platforms}, {head: "COMMIT", path: "commit", wide: true}}
	case "environment":
		return []column{title, {head: "ORDER", path: "ordinal"}, {head: "FROM", path: "promoted_from", wide: true}}
	case "target":
		return []column{{head: "AGENT", text: connection}, {head: "COHORTS", path: "cohorts"}, {head: "RUNS", text: running}, {head: "KIND", path: "kind", wide: true}}
	case "agent":
		return []column{{head: "STATE", text: connection}, {head: "TARGETS", path: "targets"}, {head: "HOST", path: "facts.hostname", wide: true}, {head: "VERSION", path: "facts.agent_version", wide: true}}
	case "deploymentPlan":
		return []column{title}
	case "deployment":
		return []column{state(), {head: "RELEASE", path: "release"}, {head: "ENVIRONMENT", path: "environment"}, {head: "PROGRESS", text: progress}, {head: "BY", path: "creator", wide: true}, {head: "REASON", path: "reason", wide: true}}
	case "wave":
		return []column{state(), {head: "ORDER", path: "ordinal"}, {head: "PROGRESS", text: progress}}
	case "installation":
		return []column{state(), {head: "WAVE", path: "wave"}, {head: "HEALTH", path: "health"}, {head: "CAUSE", path: "cause"}, {head: "TRY", path: "attempt", wide: true}, {head: "MESSAGE", path: "message", wide: true}}
	case "analysis":
		return []column{state(), {head: "WHY", path: "reason"}}
	case "policy":
		return []column{title, {head: "LINE", text: line}, {head: "APPLICATIONS", path: "applications"}, {head: "ENVIRONMENTS", path: "environments"}}
	case "override":
		return []column{{head: "SUBJECT", path: "subject"}, {head: "GATE", path: "gate"}, {head: "POLICY", path: "policy"}, {head: "BY", path: "person"}, {head: "ENDS", path: "expire_time"}, {head: "REVOKED", path: "revoke_time"}, {head: "REASON", path: "reason", wide: true}}
	case "migrationRun":
		return []column{state(), {head: "PHASE", path: "phase"}, {head: "DEPLOYMENT", path: "deployment"}, {head: "MESSAGE", path: "message", wide: true}}
	case "gateEvaluation":
		return []column{{head: "GATE", path: "gate"}, state(), {head: "OVERRIDE", path: "override"}}
	case "feedback":
		return []column{{head: "RATING", path: "rating"}, {head: "RELEASE", path: "release"}, {head: "COHORT", path: "cohort"}, {head: "TEXT", path: "text"}}
	case "incident":
		return []column{state(), {head: "SEVERITY", path: "severity"}, {head: "CAUSED BY", path: "caused_by"}, {head: "SUMMARY", path: "summary"}}
	case "implementation":
		return []column{title, state(), owner, {head: "SPONSOR", path: "sponsor", wide: true}, {head: "DUE", path: "target_date"}}
	case "stage":
		return []column{title, state(), owner, {head: "ORDER", path: "position"}, {head: "AFTER", path: "predecessors", wide: true}}
	case "task":
		return []column{title, state(), {head: "STAGE", path: "stage"}, owner, {head: "LIKELY", text: likely}, {head: "DONE %", path: "progress_percent"}, {head: "DEADLINE", path: "deadline", wide: true}}
	case "resource":
		return []column{title, {head: "KIND", path: "kind"}, {head: "CAPACITY", path: "capacity"}, {head: "WHO", path: "principal"}}
	case "baseline":
		return []column{title, {head: "ENDS", path: "end_time"}, {head: "TASKS", path: "task_count"}, {head: "COST", path: "cost_minor", wide: true}, {head: "BY", path: "author"}}
	case "comment":
		return []column{{head: "BY", path: "author"}, {head: "ABOUT", path: "subject"}, {head: "TEXT", path: "text"}}
	case "cohort":
		return []column{title, owner}
	case "cohortPlan":
		return []column{{head: "COHORT", path: "cohort"}, {head: "GO-LIVE", path: "go_live_time"}, owner}
	case "membership":
		return []column{{head: "PERSON", path: "person"}, {head: "FROM", path: "start_date"}, {head: "UNTIL", path: "end_date"}, {head: "ROLE", path: "role", wide: true}}
	case "session":
		return []column{state(), {head: "BEGINS", path: "start_time"}, {head: "TAKEN", path: "taken_count"}, {head: "SEATS", path: "seats"}, {head: "PLACE", path: "place"}}
	case "training":
		return []column{title, state(), owner, {head: "VALID", path: "validity", wide: true}}
	case "survey":
		return []column{title, owner, {head: "ATTRIBUTED", path: "attributed", wide: true}}
	case "surveyWave":
		return []column{title, state(), {head: "COHORTS", path: "cohorts"}, {head: "ASKED", path: "asked_count"}, {head: "ANSWERED", path: "response_count"}, {head: "CLOSES", path: "close_time"}}
	case "enrolment":
		return []column{{head: "PERSON", path: "person"}, state(), {head: "DUE", path: "due_time"}, {head: "COMPLETED", path: "complete_time"}, {head: "SCORE", path: "score", wide: true}, {head: "SESSION", path: "session", wide: true}}
	case "forecast":
		return []column{{head: "P50", path: "p50_time"}, {head: "P80", path: "p80_time"}, {head: "P90", path: "p90_time"}, {head: "TARGET", path: "target_probability"}, {head: "SEED", path: "seed", wide: true}}
	case "proposal":
		return []column{state(), {head: "DAYS", path: "price_days"}, {head: "ENDS", path: "finish_time_after"}, {head: "BY", path: "applied_by", wide: true}}
	case "challenge":
		return []column{title, state(), {head: "SEVERITY", path: "severity"}, {head: "CLASS", path: "class"}, owner, {head: "RULE", path: "rule", wide: true}}
	case "decision":
		return []column{title, state(), owner, {head: "DUE", path: "due_time"}, {head: "BECAUSE", path: "state_reason", wide: true}}
	case "signal":
		return []column{{head: "RULE", path: "rule"}, {head: "PHASE", path: "phase"}, {head: "PERIOD", path: "period"}, {head: "SUBJECT", path: "subject"}, {head: "ARITHMETIC", path: "arithmetic"}}
	case "stakeholder":
		return []column{title, {head: "INFLUENCE", path: "influence"}, {head: "STANCE", path: "stance"}, {head: "WANTED", path: "target_stance"}, {head: "SPONSOR", path: "sponsor"}, {head: "LAST CONTACT", path: "last_contact_time"}, {head: "OWNER", path: "owner", wide: true}}
	case "stanceChange":
		return []column{{head: "STANCE", path: "stance"}, {head: "BEFORE", path: "previous_stance"}, {head: "BY", path: "recorder"}, {head: "NOTE", path: "note"}}
	case "communication":
		return []column{title, state(), {head: "CHANNEL", path: "channel"}, {head: "MUST KNOW", path: "must_know"}, {head: "FOR", path: "audience_count"}, {head: "REACHED", path: "delivered_count"}, {head: "PLANNED", path: "send_time", wide: true}, {head: "OWNER", path: "owner", wide: true}}
	case "contact":
		return []column{{head: "EMAIL", path: "email"}, {head: "LANGUAGE", path: "language"}, {head: "NO MAIL", path: "mail_opt_out"}}
	case "mail":
		return []column{{head: "PERSON", path: "person"}, {head: "KIND", path: "kind"}, state(), {head: "WHY", path: "reason"}, {head: "CODE", path: "reply_code"}, {head: "ABOUT", path: "about", wide: true}}
	case "erasure":
		return []column{state(), {head: "BY", path: "requester"}, {head: "REASON", path: "reason"}}
	case "detectorPolicy":
		return []column{{head: "IMPLEMENTATION", path: "implementation"}, {head: "GROUPS FROM", path: "min_group_size"}}
	default:
		return []column{title}
	}
}

// likely is the estimate of a task as people write work.
func likely(_ Style, m proto.Message) string {
	t, ok := m.(*implementationv1.Task)
	if !ok || t.GetEstimate() == nil {
		return "-"
	}
	return Work(int64(t.GetEstimate().GetLikelyMinutes()))
}

func state() column { return column{head: "STATE", path: "state"} }

// List writes resources of one kind as a table.
func List(w io.Writer, k *kind.Kind, resources []proto.Message, wide bool, style Style, now time.Time) error {
	columns := columnsOf(k.Singular)
	rows := make([][]string, 1, len(resources)+1)
	rows[0] = []string{style.Bold("NAME")}
	shown := columns[:0]
	for _, c := range columns {
		if k.Message.Descriptor().Fields().ByName("display_name") == nil && c.path == "display_name" || c.wide && !wide {
			continue
		}
		shown = append(shown, c)
		rows[0] = append(rows[0], style.Bold(c.head))
	}
	rows[0] = append(rows[0], style.Bold("AGE"))
	for _, m := range resources {
		name := Value(m, "name", style, now)
		if wide {
			name = m.ProtoReflect().Get(k.Message.Descriptor().Fields().ByName("name")).String()
		}
		row := []string{name}
		for _, c := range shown {
			if c.text != nil {
				row = append(row, c.text(style, m))
				continue
			}
			row = append(row, Value(m, c.path, style, now))
		}
		rows = append(rows, append(row, age(m, now)))
	}
	return Rows(w, rows)
}

// Value is the field at a path as a table shows it; "-" where there is nothing.
func Value(m proto.Message, path string, style Style, now time.Time) string {
	msg := m.ProtoReflect()
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		field := msg.Descriptor().Fields().ByName(protoreflect.Name(name))
		if field == nil || !msg.Has(field) {
			return "-"
		}
		msg = msg.Get(field).Message()
	}
	field := msg.Descriptor().Fields().ByName(protoreflect.Name(names[len(names)-1]))
	if field == nil || !msg.Has(field) {
		return "-"
	}
	if field.IsList() {
		list := msg.Get(field).List()
		words := make([]string, 0, list.Len())
		for i := range list.Len() {
			words = append(words, scalar(field, list.Get(i), style, now))
		}
		return strings.Join(words, ",")
	}
	return scalar(field, msg.Get(field), style, now)
}

func scalar(field protoreflect.FieldDescriptor, v protoreflect.Value, style Style, now time.Time) string {
	switch field.Kind() {
	case protoreflect.EnumKind:
		name := string(field.Enum().Values().ByNumber(v.Enum()).Name())
		if field.Name() == "state" || field.Name() == "health" {
			return style.stateOf(string(field.ContainingMessage().Name()), name)
		}
		return name
	case protoreflect.StringKind:
		if short := kind.Short(v.String()); short != v.String() {
			if field.Name() == "name" {
				return short
			}
			return kind.ID(short)
		}
		return v.String()
	case protoreflect.MessageKind:
		switch t := v.Message().Interface().(type) {
		case *timestamppb.Timestamp:
			return Ago(t.AsTime(), now)
		case *durationpb.Duration:
			return Span(t.AsDuration())
		}
	default:
	}
	return fmt.Sprint(v.Interface())
}

func age(m proto.Message, now time.Time) string {
	for _, field := range []string{"create_time", "assign_time", "update_time"} {
		if text := Value(m, field, Style{}, now); text != "-" {
			return strings.TrimSuffix(text, " ago")
		}
	}
	return "-"
}

// Ago is a moment as seen from now: "3m ago", "in 2h".
func Ago(t, now time.Time) string {
	if d := now.Sub(t); d >= 0 {
		return Span(d) + " ago"
	}
	return "in " + Span(t.Sub(now))
}

// Span is a length of time in its two largest units at most.
func Span(d time.Duration) string {
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + "s"
	case d < time.Hour:
		return d.Truncate(time.Second).String()
	case d < 24*time.Hour:
		return strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s")
	default:
		return strconv.Itoa(int(d.Hours()/24)) + "d"
	}
}

func progress(_ Style, m proto.Message) string {
	counted, ok := m.(interface {
		GetCounts() *deploymentv1.InstallationCounts
	})
	if !ok {
		return "-"
	}
	return Progress(counted.GetCounts())
}

// Progress is how far installations are, with what went wrong.
func Progress(c *deploymentv1.InstallationCounts) string {
	var text strings.Builder
	_, _ = fmt.Fprintf(&text, "%d/%d", c.GetHealthy()+c.GetSealed()+c.GetSkipped(), c.GetTotal())
	for _, part := range []struct {
		n    int32
		word string
	}{
		{c.GetInProgress(), "moving"},
		{c.GetUnhealthy(), "unhealthy"},
		{c.GetFailed() + c.GetRevertFailed(), "failed"},
		{c.GetUnknown() + c.GetLost(), "silent"},
		{c.GetReverting() + c.GetReverted(), "reverted"},
		{c.GetUnavailable(), "away"},
	} {
		if part.n > 0 {
			_, _ = fmt.Fprintf(&text, " %d %s", part.n, part.word)
		}
	}
	return text.String()
}

// line is the switch of a policy.
func line(style Style, m proto.Message) string {
	if p, ok := m.(*deploymentv1.Policy); ok && p.GetStopLine().GetEngaged() {
		return style.State("HELD")
	}
	return "-"
}

func platforms(_ Style, m proto.Message) string {
	var all []string
	if release, ok := m.(*deploymentv1.Release); ok {
		for _, a := range release.GetArtifacts() {
			all = append(all, a.GetOs()+"/"+a.GetArch())
		}
	}
	return strings.Join(all, ",")
}

func connection(style Style, m proto.Message) string {
	if agent, ok := m.(*deploymentv1.Agent); ok && agent.GetRevokeTime() != nil {
		return style.State("REVOKED")
	} else if ok && agent.GetQuarantineReason() != "" {
		return style.State("QUARANTINED")
	}
	if c, ok := m.(interface{ GetConnected() bool }); ok && c.GetConnected() {
		return style.State("CONNECTED")
	}
	return style.State("AWAY")
}

func running(_ Style, m proto.Message) string {
	var all []string
	if target, ok := m.(*deploymentv1.Target); ok {
		for _, r := range target.GetRunning() {
			all = append(all, kind.ID(r.GetApplication())+"@"+r.GetVersion())
		}
	}
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, ",")
}
