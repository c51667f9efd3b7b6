package cli

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// parseCondition reads ID=WHAT;owner=WHO;due=WHEN. What is to be done may have any sign but a semicolon.
func parseCondition(given string) (*implementationv1.DecisionCondition, error) {
	const form = "write 'train-the-rest=Train the rest;owner=users/carol;due=2026-12-01'"
	parts := strings.Split(given, ";")
	id, what, ok := strings.Cut(parts[0], "=")
	c := &implementationv1.DecisionCondition{Id: strings.TrimSpace(id), DisplayName: strings.TrimSpace(what)}
	if !ok || c.GetId() == "" || c.GetDisplayName() == "" {
		return nil, usage("a condition says its id and what must be done, not "+given, form)
	}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "owner":
			c.Owner = value
		case "due":
			due, err := deadline("due", value)
			if err != nil {
				return nil, err
			}
			c.DueTime = due
		default:
			return nil, usage("a condition has an owner and a due, not "+strings.TrimSpace(key), form)
		}
	}
	if c.GetDueTime() == nil {
		return nil, usage("condition "+c.GetId()+" has no due", form)
	}
	return c, nil
}

// deadline is until when: a day, to its end where the person is; a time of RFC 3339; or a while from now.
func deadline(what, given string) (*timestamppb.Timestamp, error) {
	if t, err := time.Parse(time.RFC3339, given); err == nil {
		return timestamppb.New(t), nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, given, time.Local); err == nil { //nolint:gosmopolitan // what a person writes is meant where they are
		return timestamppb.New(t.AddDate(0, 0, 1)), nil
	}
	if d, err := time.ParseDuration(given); err == nil && d > 0 {
		return timestamppb.New(time.Now().Add(d)), nil
	}
	return nil, usage(what+" is "+given+", which is no time", "write 2026-12-01, 2026-12-01T09:00:00Z or 72h")
}
