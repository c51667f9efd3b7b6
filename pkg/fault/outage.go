package fault

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"time"
)

const (
	fullMessage = "the server has no disk left to write to; free some space there, then try again"
	sqliteFull  = 13 // the primary result code SQLITE_FULL
)

// outage recognises a database or another store that is away or full: no defect of ours, and
// worth another try. The drivers are known by their methods, so that nobody who reads a fault links them. It is nil for all else.
func outage(err error) *Error {
	if pg, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok {
		switch code := pg.SQLState(); {
		case code == "53100":
			return Exhausted("STORAGE_FULL", fullMessage).Cause(err)
		case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57P0"): // no connection, no resources, it stops or starts
			return away(err)
		}
		return nil
	}
	if lite, ok := errors.AsType[interface {
		error
		Code() int
	}](err); ok && lite.Code()&0xff == sqliteFull {
		return Exhausted("STORAGE_FULL", fullMessage).Cause(err)
	}
	if _, dialled := errors.AsType[*net.OpError](err); dialled || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) {
		return away(err)
	}
	return nil
}

func away(err error) *Error {
	return Unavailable("UNAVAILABLE", unavailableMessage).RetryAfter(time.Second).Cause(err)
}
