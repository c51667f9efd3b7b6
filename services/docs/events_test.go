package docs

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// told are the events that no standard method and no state explains, by type.
func told() map[string]string {
	return map[string]string{
		"deployment.agent.invited":            "A join token was made for it.",
		"deployment.agent.enrolled":           "It redeemed its join token and has a certificate.",
		"deployment.agent.renewed":            "It has a new certificate.",
		"deployment.agent.quarantined":        "Two processes claimed its identity; neither is commanded.",
		"deployment.agent.released":           "A person let it connect again.",
		"deployment.agent.revoked":            "A person revoked it: its stream is cut, and its certificate refused.",
		"deployment.agent.upgraded":           "It was told to run another version of its program.",
		"deployment.analysis.created":         "The first interval of a metric of a wave was judged.",
		"deployment.analysis.updated":         "One more interval was judged, and the verdict is the same.",
		"deployment.analysis.fail":            "It says FAIL, which is final: the release is worse than its margin allows.",
		"deployment.analysis.pass":            "It says PASS: the release is proven to be within its margin.",
		"deployment.analysis.undecided":       "It says UNDECIDED, after it had said PASS.",
		"deployment.feedback.replaced":        "Its author rated the release again.",
		"deployment.gateEvaluation.created":   "A gate says something else than before; it holds the verdict with its evidence.",
		"deployment.incident.resolved":        "Users are served again.",
		"deployment.migrationRun.not_run":     "A person found that nothing of it is made, or it may be tried again.",
		"deployment.override.revoked":         "It was ended before its time.",
		"deployment.policy.engaged":           "Its line was stopped.",
		"deployment.policy.released":          "Its line goes on.",
		"deployment.target.served":            "Another agent serves it now.",
		"deployment.release.abandoned":        "It can never be deployed again; installations of it that run go on.",
		"deployment.installation.called_back": "Its agent was told to bring it to a safe end.",
		"deployment.installation.retried":     "A person put it back in the queue.",
		"deployment.installation.silent":      "Its agent went silent; it is UNKNOWN, or LOST after too long.",
		"deployment.installation.updated":     "Its health, its cause or what was put in place changed, not its state.",
		"deployment.deployment.updated":       "Anything but its state changed: its counts, what it waits for, what a person asked for.",
		"deployment.wave.updated":             "Anything but its state changed: a verdict, an approval, its counts.",
		"implementation.membership.imported":  "A file was imported into a cohort: counts, and nobody's name.",
		"implementation.enrolment.assigned":   "People were enrolled: counts, and nobody's name.",
		"implementation.enrolment.recorded":   "Completions were recorded: counts, and nobody's name.",
		"implementation.enrolment.waived":     "One person was let off, with the reason.",
		"implementation.training.published":   "People can be enrolled.",
		"implementation.training.retired":     "It is no longer given; completions stay valid.",
		"implementation.verdict.changed":      "The verdict on a cohort plan, a stage or a decision is another, or its reasons are.",
	}
}

func TestTheEventsPageIsWhatTheContractsSay(t *testing.T) {
	types := told()
	for _, service := range []string{"deployment", "implementation"} {
		maps.Copy(types, standardEvents(t, service))
	}
	maps.Copy(types, toldOfReach())
	maps.Copy(types, toldOfPlans())
	maps.Copy(types, toldOfPeople())
	maps.Copy(types, toldOfDecisions())
	maps.Copy(types, toldOfSubscriptions())
	delete(types, "implementation.contact.deleted") // where people are reached is never an event
	out := page("Events", "Every change of a resource is an event, written in the transaction that made the change and never edited. "+
		"The type is\n`<service>.<noun>.<what>`; filters take whole types, or prefixes that end in a dot (`deployment.wave.`). "+
		"The fields are those of\n[golive.event.v1.Event](../../proto/golive/event/v1/event.proto); how to follow them is in "+
		"[watch and integrate](../how-to/watch-and-integrate.md).")
	head(out, "type", "when")
	for _, name := range slices.Sorted(maps.Keys(types)) {
		row(out, "`"+name+"`", types[name])
	}
	generated(t, "events.md", out.String())
}

// standardEvents are those of the standard methods, and of each state of what the engine moves.
func standardEvents(t *testing.T, service string) map[string]string {
	t.Helper()
	types := map[string]string{}
	protoregistry.GlobalFiles.RangeFilesByPackage(protoreflect.FullName("golive."+service+".v1"), func(file protoreflect.FileDescriptor) bool {
		for i := range file.Messages().Len() {
			m := file.Messages().Get(i)
			res, _ := proto.GetExtension(m.Options(), annotations.E_Resource).(*annotations.ResourceDescriptor)
			if res == nil {
				continue
			}
			noun := service + "." + res.GetSingular() + "."
			for method, verb := range map[string]string{"Create": "created", "Update": "updated", "Delete": "deleted"} {
				if has(file, method+string(m.Name())) {
					types[noun+verb] = "It was " + verb + "."
				}
			}
			if m.Name() == "Wave" {
				types[noun+"created"] = "Its deployment was created."
			}
			if m.Name() == "Deployment" || m.Name() == "Wave" || m.Name() == "Installation" || m.Name() == "MigrationRun" {
				states(t, m, file.Path(), noun, types)
			}
		}
		return true
	})
	require.NotEmpty(t, types)
	return types
}

// states adds one event for each state but the first, in which a resource is created.
func states(t *testing.T, m protoreflect.MessageDescriptor, path, noun string, types map[string]string) {
	t.Helper()
	comments := valuesOf(t, path, string(m.Name()))
	values := m.Enums().ByName("State").Values()
	for i := 2; i < values.Len(); i++ {
		state := string(values.Get(i).Name())
		require.NotEmpty(t, comments[state], state)
		types[noun+strings.ToLower(state)] = comments[state]
	}
}

func has(file protoreflect.FileDescriptor, method string) bool {
	for i := range file.Services().Len() {
		if file.Services().Get(i).Methods().ByName(protoreflect.Name(method)) != nil {
			return true
		}
	}
	return false
}
