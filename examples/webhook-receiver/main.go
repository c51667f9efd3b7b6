// Command webhook-receiver takes events of golive and prints those whose signature is right. It needs no library.
//
//	golive subscription create ops --to https://here.example.com/ > secret.txt
//	go run main.go -listen :8000 -secret-file secret.txt
package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// tolerance is how old a request may be: one that somebody recorded and sends again is refused.
const tolerance = 5 * time.Minute

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "where to listen")
	file := flag.String("secret-file", "secret.txt", "the signing secret; read for each request, so that it can be replaced")
	flag.Parse()

	var seen sync.Map // an event may come twice; keep this in a database where that matters
	http.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		secret, err := os.ReadFile(*file)
		if err != nil || !genuine(r.Header, body, strings.TrimSpace(string(secret)), time.Now()) {
			http.Error(w, "wrong signature", http.StatusUnauthorized)
			return
		}
		var event struct{ ID, Type, Subject string }
		if err := json.Unmarshal(body, &event); err != nil {
			http.Error(w, "no CloudEvent", http.StatusBadRequest)
			return
		}
		if _, known := seen.LoadOrStore(event.ID, true); !known {
			fmt.Println(event.Type, event.Subject)
		}
		w.WriteHeader(http.StatusNoContent)
	})

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", listener.Addr())
	log.Fatal((&http.Server{ReadHeaderTimeout: 5 * time.Second}).Serve(listener))
}

// genuine checks a request as Standard Webhooks say: https://www.standardwebhooks.com.
func genuine(header http.Header, body []byte, secret string, now time.Time) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	stamp, wrong := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if err != nil || wrong != nil || now.Sub(time.Unix(stamp, 0)).Abs() > tolerance {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", header.Get("webhook-id"), stamp, body)
	want := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	for _, got := range bytes.Fields([]byte(header.Get("webhook-signature"))) { // two while a secret is replaced
		if hmac.Equal(got, want) {
			return true
		}
	}
	return false
}
