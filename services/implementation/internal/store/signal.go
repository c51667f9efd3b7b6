package store

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/golive-dev/golive/pkg/resource"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/detect"
)

// Signals is the kind of signals. Nothing updates or deletes one.
var Signals = resource.Define(resource.Spec[*implementationv1.Signal]{
	Table: "signals",
	Columns: []resource.Column[*implementationv1.Signal]{
		{Field: "rule"}, {Field: "class"}, {Field: "subject"}, {Field: "cohort"}, {Field: "period"}, {Field: "phase"},
	},
	Parent: Implementations.RequiredLater,
})

// signalName is one name for one finding: the same finding again has the same.
func signalName(implementation string, f detect.Finding) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(f.Rule), f.Subject, f.Aspect, f.Window.Name}, "\x00")))
	return Signals.Name(implementation, strings.ToLower(string(f.Rule))+"-"+hex.EncodeToString(sum[:8]))
}

func newSignal(implementation string, rule detect.Rule, f detect.Finding, phase implementationv1.Signal_Phase) *implementationv1.Signal {
	return &implementationv1.Signal{
		Name: signalName(implementation, f), Rule: string(f.Rule), DisplayName: rule.Title, Class: rule.Class, Subject: f.Subject, Cohort: f.Cohort,
		Period: f.Window.Name, Phase: phase, Measure: f.Measure, Arithmetic: f.Text, Numbers: f.Numbers, Resources: f.Resources, Remedy: f.Remedy, Aspect: f.Aspect,
	}
}
