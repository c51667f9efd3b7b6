package store

import (
	"strings"

	"github.com/golive-dev/golive/pkg/fault"
	"github.com/golive-dev/golive/pkg/resource"
)

// storable refuses a text that PostgreSQL cannot keep. What is stored in a message needs no such look.
func storable(field, text string) error {
	if strings.IndexByte(text, 0) >= 0 {
		return fault.Invalid(resource.ReasonInvalidField, "%s has a zero byte; remove it", field).Field(field, "has a zero byte")
	}
	return nil
}
