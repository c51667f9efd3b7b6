// Package smtptest is a real mail server for tests: over TCP, with TLS, and with
// a will of its own about whom it takes mail for.
package smtptest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// The account of a server that wants one.
const (
	User     = "rollout"
	Password = "correct horse battery staple"
)

// Message is what the server took.
type Message struct {
	From, To string
	Raw      []byte
	TLS      bool   // came over TLS
	User     string // who had signed in
}

// Parse reads the message.
func (m Message) Parse(tb testing.TB) *mail.Message {
	tb.Helper()
	parsed, err := mail.ReadMessage(bytes.NewReader(m.Raw))
	require.NoError(tb, err)
	return parsed
}

// Server is a running mail server.
type Server struct {
	Addr   string
	CAFile string // the authority of its certificate

	mu       sync.Mutex
	messages []Message
	refused  map[string]int
	hook     func(Message) error
	arrived  chan struct{}
}

// Options say how a server is met. Its zero value offers STARTTLS and asks nobody to sign in.
type Options struct {
	Implicit bool // TLS from the first byte
	Plain    bool // no TLS at all
	Auth     bool // nobody may send who has not signed in
}

// Start starts a server that lives as long as the test.
func Start(tb testing.TB, opts Options) *Server {
	tb.Helper()
	s := &Server{refused: map[string]int{}, arrived: make(chan struct{}, 1000)}
	certificate := s.certificate(tb)
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{server: s, conn: c, needsAuth: opts.Auth}, nil
	}))
	server.Domain = "mail.example.com"
	server.AllowInsecureAuth = opts.Plain
	server.ReadTimeout, server.WriteTimeout = time.Minute, time.Minute
	settings := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	s.Addr = listener.Addr().String()
	switch {
	case opts.Implicit:
		listener = tls.NewListener(listener, settings)
	case !opts.Plain:
		server.TLSConfig = settings
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	tb.Cleanup(func() {
		require.NoError(tb, server.Close())
		require.NoError(tb, <-done)
	})
	return s
}

// certificate makes one for 127.0.0.1, signed by itself.
func (s *Server) certificate(tb testing.TB) tls.Certificate {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(tb, err)
	s.CAFile = filepath.Join(tb.TempDir(), "ca.pem")
	require.NoError(tb, os.WriteFile(s.CAFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Refuse makes the server answer the code to mail for an address; 0 takes that back.
func (s *Server) Refuse(address string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[address] = code
}

// OnMessage is called with each message before it is answered; its error is the answer.
func (s *Server) OnMessage(hook func(Message) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = hook
}

// Messages are all that were taken so far.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Wait waits for n messages in all.
func (s *Server) Wait(tb testing.TB, n int) []Message {
	tb.Helper()
	for len(s.Messages()) < n {
		select {
		case <-s.arrived:
		case <-time.After(time.Minute):
			require.Fail(tb, "the mail server waits in vain", "it has %d messages, and should have %d", len(s.Messages()), n)
		}
	}
	return s.Messages()
}

type session struct {
	server    *Server
	conn      *smtp.Conn
	needsAuth bool
	user      string
	from, to  string
}

func (s *session) AuthMechanisms() []string {
	if s.needsAuth {
		return []string{sasl.Plain}
	}
	return nil
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != User || password != Password {
			return &smtp.SMTPError{Code: 535, Message: "who is " + user}
		}
		s.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.needsAuth && s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if code := s.server.refused[to]; code != 0 {
		return &smtp.SMTPError{Code: code, Message: "<" + to + "> is not taken"} // as real servers do, with the address
	}
	s.to = to
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	_, secure := s.conn.TLSConnectionState()
	m := Message{From: s.from, To: s.to, Raw: raw, TLS: secure, User: s.user}
	s.server.mu.Lock()
	hook := s.server.hook
	s.server.mu.Unlock()
	if hook != nil {
		if err := hook(m); err != nil {
			return err
		}
	}
	s.server.mu.Lock()
	s.server.messages = append(s.server.messages, m)
	s.server.mu.Unlock()
	s.server.arrived <- struct{}{}
	return nil
}

func (s *session) Reset()        { s.from, s.to = "", "" }
func (s *session) Logout() error { return nil }
