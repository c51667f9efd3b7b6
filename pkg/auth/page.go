package auth

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
)

const pagePrefix = "revocations:"

// encodePage makes the page token that continues below seq.
func encodePage(seq int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(pagePrefix + strconv.FormatInt(seq, 10)))
}

// decodePage returns the seq to continue below; the empty token is the first page.
func decodePage(token string) (int64, error) {
	if token == "" {
		return math.MaxInt64, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, badPage().Cause(err)
	}
	number, ok := strings.CutPrefix(string(raw), pagePrefix)
	seq, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil {
		return 0, badPage().Cause(err)
	}
	return seq, nil
}
