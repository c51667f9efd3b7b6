package delivery

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// secretPrefix is how Standard Webhooks mark a secret, so that scanners find one that was published.
const secretPrefix = "whsec_"

// secretBytes is how long a secret is.
const secretBytes = 32

// NewSecret makes one.
func NewSecret() string {
	var key [secretBytes]byte
	_, _ = rand.Read(key[:]) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(key[:])
}

// Sign sets the headers of Standard Webhooks: an id that is the same in every attempt, the time of this one, and one
// signature for each secret that is good now, the newest first.
func Sign(header http.Header, id string, now time.Time, body []byte, secrets ...string) error {
	stamp := strconv.FormatInt(now.Unix(), 10)
	signatures := make([]string, 0, len(secrets))
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
		if err != nil {
			return errors.New("a signing secret is no base64") // what it is is not said
		}
		mac := hmac.New(sha256.New, key)
		_, _ = fmt.Fprintf(mac, "%s.%s.", id, stamp) // a hash never fails to write
		_, _ = mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", stamp)
	header.Set("Webhook-Signature", strings.Join(signatures, " "))
	return nil
}
