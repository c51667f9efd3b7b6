package delivery

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	eventv1 "github.com/golive-dev/golive/proto/golive/event/v1"
)

// MediaType is that of a body of [CloudEvent].
const MediaType = "application/cloudevents+json; charset=utf-8"

// envelope is a CloudEvent in its structured JSON form. Names of extensions are lower case, as CloudEvents ask.
type envelope struct {
	SpecVersion     string          `json:"specversion"`
	ID              string          `json:"id"`
	Source          string          `json:"source"`
	Type            string          `json:"type"`
	Subject         string          `json:"subject,omitempty"`
	Time            string          `json:"time"`
	DataContentType string          `json:"datacontenttype,omitempty"`
	GoliveType      string          `json:"golivetype"`
	GoliveRevision  string          `json:"goliverevision,omitempty"`
	GoliveActor     string          `json:"goliveactor,omitempty"`
	GoliveCause     string          `json:"golivecause,omitempty"`
	Data            json.RawMessage `json:"data,omitempty"`
}

// CloudEvent is the body of an event: a CDEvent where there is a type for it, the resource after the change
// otherwise, and no data where the resource is gone. The same event has the same body, whenever it is sent.
func CloudEvent(event *eventv1.Event) ([]byte, error) {
	resource, err := after(event)
	if err != nil {
		return nil, err
	}
	e := envelope{
		SpecVersion: "1.0", ID: event.GetToken(), Source: source(event), Type: typeOf(event), Subject: event.GetResource(),
		Time: event.GetTime().AsTime().UTC().Format(time.RFC3339Nano), GoliveType: event.GetType(),
		GoliveRevision: fmt.Sprint(event.GetRevision()), GoliveActor: impersonal(event.GetActor()), GoliveCause: line(impersonal(event.GetCause())), Data: resource,
	}
	if cd := cdEvent(event, e); cd != nil {
		cd.CustomData = resource
		if len(resource) > 0 {
			cd.CustomDataContentType = "application/json"
		}
		e.Type = cd.Context.Type
		if e.Data, err = json.Marshal(cd); err != nil {
			return nil, fmt.Errorf("write the CDEvent %s: %w", event.GetToken(), err)
		}
	}
	if len(e.Data) > 0 {
		e.DataContentType = "application/json"
	}
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("write the event %s: %w", event.GetToken(), err)
	}
	return body, nil
}

// source is the workspace in the log of its service, as a full resource name.
func source(event *eventv1.Event) string {
	service, _, _ := strings.Cut(event.GetType(), ".")
	if event.GetType() == Tested {
		service = "implementation"
	}
	return "//" + service + ".golive.dev/" + workspace(event.GetResource())
}

func typeOf(event *eventv1.Event) string {
	if event.GetType() == Tested {
		return Tested
	}
	return "dev.golive." + event.GetType()
}

// after is the resource after the change, as JSON without any space of its own and without people.
func after(event *eventv1.Event) (json.RawMessage, error) {
	if event.GetAfter() == nil {
		return nil, nil
	}
	m, err := event.GetAfter().UnmarshalNew()
	if err != nil {
		return nil, fmt.Errorf("read what %s was: %w", event.GetResource(), err)
	}
	text, err := protojson.MarshalOptions{UseProtoNames: false}.Marshal(scrub(m))
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", event.GetResource(), err)
	}
	var compact json.RawMessage
	if err := json.Unmarshal(text, &compact); err != nil {
		return nil, err
	}
	return compact, nil
}
