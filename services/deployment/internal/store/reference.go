package store

import (
	"github.com/golive-dev/golive/pkg/fault"
)

// Referred adds to the fault of a reference to what does not exist the field that holds it; other errors stay as they are.
func Referred(field string, err error) error {
	if fault.Is(err, fault.KindNotFound) {
		return fault.From(err).Field(field, "does not exist")
	}
	return err
}
