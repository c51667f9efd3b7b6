package courier

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
	"go.uber.org/zap"

	"github.com/golive-dev/golive/services/implementation/internal/mail"
	"github.com/golive-dev/golive/services/implementation/internal/store"
)

const (
	dialTimeout = 20 * time.Second
	sendTimeout = 20 * time.Second
)

// How the connection to a mail server is protected.
const (
	StartTLS = "starttls" // plain first, then TLS, which the server must offer; port 587
	TLS      = "tls"      // TLS from the first byte; port 465
	None     = "none"     // plain, for a relay on this machine; port 25
)

// SMTP is how messages leave. Its zero value is that they do not.
type SMTP struct {
	Address      string // host:port of the mail server; nothing is sent when empty.
	From         string // Whom messages are from, `Roll-out <rollout@example.com>`.
	ReplyTo      string // Where answers go; From when empty.
	Username     string // Who signs in; nobody when empty.
	PasswordFile string // The file with the password, read at each connection.
	TLS          string // starttls (when empty), tls or none.
	CAFile       string // Trust certificates of this authority; those of the system when empty.
}

// Post is a mail server.
type Post struct {
	SMTP

	host   string
	sender mail.Sender
	client []gomail.Option
	logger *zap.Logger
}

// NewPost checks the settings; nil where there are none.
func NewPost(cfg SMTP, logger *zap.Logger) (*Post, error) {
	if cfg.Address == "" {
		return nil, nil //nolint:nilnil // no post is not an error
	}
	host, port, err := net.SplitHostPort(cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("address of the mail server %q: write it as host:port", cfg.Address)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port of the mail server %q is no number", port)
	}
	p := &Post{SMTP: cfg, host: host, sender: mail.Sender{From: cfg.From, ReplyTo: cfg.ReplyTo}, logger: logger}
	if p.TLS == "" {
		p.TLS = StartTLS
	}
	if err := p.sender.Check(); err != nil {
		return nil, err
	}
	if cfg.Username != "" && cfg.PasswordFile == "" {
		return nil, errors.New("a user of the mail server needs a password file")
	}
	protection, err := p.protection()
	if err != nil {
		return nil, err
	}
	p.client = append([]gomail.Option{gomail.WithPort(int(number)), gomail.WithTimeout(sendTimeout)}, protection...)
	return p, nil
}

func (p *Post) protection() ([]gomail.Option, error) {
	settings := &tls.Config{ServerName: p.host, MinVersion: tls.VersionTLS12} // mail servers are not all of today
	if p.CAFile != "" {
		pem, err := os.ReadFile(p.CAFile)
		if err != nil {
			return nil, fmt.Errorf("authority of the mail server: %w", err)
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("authority of the mail server: %s holds no certificate", p.CAFile)
		}
	}
	switch p.TLS {
	case StartTLS:
		return []gomail.Option{gomail.WithTLSPolicy(gomail.TLSMandatory), gomail.WithTLSConfig(settings)}, nil
	case TLS:
		return []gomail.Option{gomail.WithSSL(), gomail.WithTLSConfig(settings)}, nil
	case None:
		if p.Username != "" && !net.ParseIP(p.host).IsLoopback() && p.host != "localhost" {
			return nil, errors.New("a password would cross the network in plain text; use starttls or tls for the mail server")
		}
		return []gomail.Option{gomail.WithTLSPolicy(gomail.NoTLS)}, nil
	default:
		return nil, fmt.Errorf("protection of the mail server %q is none of starttls, tls, none", p.TLS)
	}
}

// letter is a message with where it goes.
type letter struct {
	store.Letter

	to mail.Recipient
}

// result is what came of one attempt.
type result struct {
	store.Letter

	verdict verdict
	code    int
}

// send sends letters over one connection. Where it breaks, the rest is for later.
func (p *Post) send(ctx context.Context, all []letter) []result {
	results := make([]result, len(all))
	for i, l := range all {
		results[i].Letter = l.Letter
	}
	if len(all) == 0 {
		return nil
	}
	client, conn, err := p.dial(ctx)
	if err != nil {
		// The server's words may repeat who signed in; the settings are known to whoever reads this.
		p.logger.Warn("the mail server cannot be used; messages wait", zap.String("server", p.Address), zap.String("because", plain(err)))
		return results
	}
	defer func() { _ = client.CloseWithSMTPClient(conn) }() // what was taken was acknowledged
	for i, l := range all {
		if ctx.Err() != nil {
			break
		}
		msg, err := p.sender.Compose(l.Name, l.Queued, l.to, l.Outgoing)
		if err != nil {
			p.logger.Error("a message cannot be written", zap.String("mail", l.Name), zap.Error(err))
			continue
		}
		results[i].verdict, results[i].code = said(msg, client.SendWithSMTPClient(conn, msg))
	}
	return results
}

func (p *Post) dial(ctx context.Context) (*gomail.Client, *smtp.Client, error) {
	options := p.client
	if p.Username != "" {
		password, err := os.ReadFile(p.PasswordFile)
		if err != nil {
			return nil, nil, fmt.Errorf("password of the mail server: %w", err)
		}
		auth := gomail.SMTPAuthAutoDiscover
		if p.TLS == None {
			auth = gomail.SMTPAuthPlainNoEnc
		}
		options = append(slices.Clip(options), gomail.WithSMTPAuth(auth), gomail.WithUsername(p.Username), gomail.WithPassword(string(bytes.TrimRight(password, "\r\n"))))
	}
	client, err := gomail.NewClient(p.host, options...)
	if err != nil {
		return nil, nil, fmt.Errorf("settings of the mail server: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := client.DialToSMTPClientWithContext(ctx)
	return client, conn, err
}
