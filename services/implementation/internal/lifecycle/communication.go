package lifecycle

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/golive-dev/golive/pkg/fault"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// CommunicationEvent is what can happen to a communication. Its value is the past participle that the event log says.
type CommunicationEvent string

// The events of a communication.
//
//	DRAFT ──scheduled──▶ SCHEDULED ──released──▶ SENDING ──sent──▶ SENT
//	SCHEDULED ──scheduled──▶ SCHEDULED (another time) · DRAFT ──released──▶ SENDING
//	DRAFT, SCHEDULED ──told──▶ SENT · DRAFT, SCHEDULED, SENDING ──cancelled──▶ CANCELLED
const (
	CommunicationScheduled CommunicationEvent = "scheduled"
	CommunicationReleased  CommunicationEvent = "released" // its messages are queued
	CommunicationTold      CommunicationEvent = "told"     // otherwise than by mail
	CommunicationSent      CommunicationEvent = "sent"     // no message waits any more
	CommunicationCancelled CommunicationEvent = "cancelled"
)

func communicationRules() map[CommunicationEvent]transition[implementationv1.Communication_State] {
	const (
		draft     = implementationv1.Communication_DRAFT
		scheduled = implementationv1.Communication_SCHEDULED
		sending   = implementationv1.Communication_SENDING
		sent      = implementationv1.Communication_SENT
		cancelled = implementationv1.Communication_CANCELLED
	)
	type states = []implementationv1.Communication_State
	return map[CommunicationEvent]transition[implementationv1.Communication_State]{
		CommunicationScheduled: {states{draft, scheduled}, scheduled},
		CommunicationReleased:  {states{draft, scheduled}, sending},
		CommunicationTold:      {states{draft, scheduled}, sent},
		CommunicationSent:      {states{sending}, sent},
		CommunicationCancelled: {states{draft, scheduled, sending}, cancelled},
	}
}

// Apply moves the communication, or refuses with STATE_FORBIDS.
func (e CommunicationEvent) Apply(c *implementationv1.Communication, now time.Time) error {
	rule := communicationRules()[e]
	if err := allow(subject{"communication", c.GetName()}, c.GetState(), string(e), rule); err != nil {
		return err
	}
	c.State = rule.to
	if e == CommunicationReleased || e == CommunicationTold {
		c.SentTime = timestamppb.New(now)
	}
	return nil
}

// CommunicationEditable refuses with STATE_FORBIDS once somebody was told: what was said is a fact.
func CommunicationEditable(c *implementationv1.Communication) error {
	switch c.GetState() {
	case implementationv1.Communication_DRAFT, implementationv1.Communication_SCHEDULED:
		return nil
	default:
		return fault.Precondition(ReasonStateForbids, "communication %s is %s; what people were told is not changed: create another one", c.GetName(), c.GetState()).
			Subject("STATE", c.GetName(), "is "+c.GetState().String())
	}
}

// CommunicationDeletable refuses with STATE_FORBIDS unless nobody was told and nobody will be.
func CommunicationDeletable(c *implementationv1.Communication) error {
	switch c.GetState() {
	case implementationv1.Communication_DRAFT:
		return nil
	case implementationv1.Communication_CANCELLED:
		if c.GetSentTime() == nil {
			return nil
		}
	default:
	}
	return fault.Precondition(ReasonStateForbids, "communication %s is %s; only a DRAFT, or one that was cancelled before anybody was told, can be deleted", c.GetName(), c.GetState()).
		Subject("STATE", c.GetName(), "is "+c.GetState().String())
}

// CommunicationCountable refuses with STATE_FORBIDS before anybody was told.
func CommunicationCountable(c *implementationv1.Communication) error {
	if c.GetSentTime() == nil {
		return fault.Precondition(ReasonStateForbids, "communication %s is %s; count whom it reached after it was sent", c.GetName(), c.GetState()).
			Subject("STATE", c.GetName(), "is "+c.GetState().String())
	}
	return nil
}
