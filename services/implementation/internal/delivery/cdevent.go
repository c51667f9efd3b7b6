package delivery

import (
	"encoding/json"
	"net/url"
	"strings"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// cdVersion is the version of the CDEvents specification, and cdType what its types of that version end in.
const (
	cdVersion = "0.5.1"
	cdType    = ".0.3.0"
)

// cd is a CDEvent: https://cdevents.dev.
type cd struct {
	Context               cdContext       `json:"context"`
	Subject               cdSubject       `json:"subject"`
	CustomData            json.RawMessage `json:"customData,omitempty"`
	CustomDataContentType string          `json:"customDataContentType,omitempty"`
}

type cdContext struct {
	Version   string `json:"specversion"`
	ID        string `json:"id"`
	Source    string `json:"source"`
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
}

type cdSubject struct {
	ID      string    `json:"id"`
	Source  string    `json:"source"`
	Content cdContent `json:"content"`
}

type cdContent struct {
	Description string       `json:"description,omitempty"`
	Name        string       `json:"name,omitempty"`
	Environment *cdReference `json:"environment,omitempty"`
	Service     *cdReference `json:"service,omitempty"`
	ArtifactID  string       `json:"artifactId,omitempty"`
}

type cdReference struct {
	ID     string `json:"id"`
	Source string `json:"source"`
}

// cdEvent is the CDEvent that says the same as an event, or nil. What has none:
//
//	service.removed     golive removes no service
//	change, pipelineRun they are other tools'
//	approval            in no version that is released
func cdEvent(event *eventv1.Event, e envelope) *cd {
	kind, subject := "", (*cdSubject)(nil)
	switch event.GetType() {
	case "deployment.deployment.succeeded":
		kind, subject = deployed(event)
	case "deployment.environment.created":
		kind, subject = "environment.created", environment(event)
	case "deployment.environment.updated":
		kind, subject = "environment.modified", environment(event)
	case "deployment.environment.deleted":
		kind, subject = "environment.deleted", environment(event)
	case "deployment.incident.created":
		kind, subject = "incident.detected", incident(event)
	case "deployment.incident.resolved":
		kind, subject = "incident.resolved", incident(event)
	case "deployment.release.created":
		kind, subject = "artifact.published", &cdSubject{ID: purl(event.GetResource())}
	}
	if subject == nil {
		return nil
	}
	subject.Source = e.Source
	return &cd{
		Context: cdContext{Version: cdVersion, ID: e.ID, Source: e.Source, Type: "dev.cdevents." + kind + cdType, Timestamp: e.Time}, Subject: *subject,
	}
}

// deployed is a release, or a configuration, that serves all of its targets.
func deployed(event *eventv1.Event) (string, *cdSubject) {
	d := &deploymentv1.Deployment{}
	if event.GetAfter().UnmarshalTo(d) != nil || d.GetEnvironment() == "" || d.GetRelease() == "" {
		return "", nil
	}
	kind := "service.deployed"
	switch d.GetKind() {
	case deploymentv1.Deployment_ROLLBACK:
		kind = "service.rolledback"
	case deploymentv1.Deployment_CONFIGURATION, deploymentv1.Deployment_CATCH_UP, deploymentv1.Deployment_REAPPLY:
		kind = "service.upgraded" // it ran there before
	default:
	}
	application, _, _ := strings.Cut(d.GetName(), "/deployments/")
	return kind, &cdSubject{ID: application, Content: cdContent{Environment: refer(event, d.GetEnvironment()), ArtifactID: purl(d.GetRelease())}}
}

func environment(event *eventv1.Event) *cdSubject {
	e := &deploymentv1.Environment{}
	if event.GetAfter() != nil && event.GetAfter().UnmarshalTo(e) != nil {
		return nil
	}
	name := e.GetDisplayName()
	if name == "" {
		name = last(event.GetResource())
	}
	return &cdSubject{ID: event.GetResource(), Content: cdContent{Name: name}}
}

// incident is what users noticed. CDEvents ask in which environment, which nobody tells golive.
func incident(event *eventv1.Event) *cdSubject {
	i := &deploymentv1.Incident{}
	if event.GetAfter().UnmarshalTo(i) != nil {
		return nil
	}
	content := cdContent{Description: i.GetSummary(), Environment: &cdReference{ID: "unknown", Source: source(event)}}
	if application, _, caused := strings.Cut(i.GetCausedBy(), "/deployments/"); caused {
		content.Service = refer(event, application)
	}
	return &cdSubject{ID: event.GetResource(), Content: content}
}

func refer(event *eventv1.Event, name string) *cdReference {
	return &cdReference{ID: name, Source: source(event)}
}

// purl is the package URL of a release: pkg:generic/crm@2.4.0.
func purl(release string) string {
	parts := strings.Split(release, "/")
	if len(parts) != 6 {
		return release
	}
	return "pkg:generic/" + url.PathEscape(parts[3]) + "@" + url.PathEscape(parts[5])
}

func last(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
