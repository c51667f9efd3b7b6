package observe

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// LogConfig says what is logged and how. The zero value logs JSON from level info on.
type LogConfig struct {
	Level  string // debug, info, warn or error.
	Format string // json, or console for people.
}

// NewLogger returns a logger that writes to w, one line per entry, and hides
// credentials: fields named like one, and anything in a string that looks like a token.
func NewLogger(cfg LogConfig, w io.Writer) (*zap.Logger, error) {
	level := zapcore.InfoLevel
	if cfg.Level != "" {
		var err error
		if level, err = zapcore.ParseLevel(cfg.Level); err != nil {
			return nil, fmt.Errorf("log level %q is not one of debug, info, warn, error", cfg.Level)
		}
	}
	format := zap.NewProductionEncoderConfig()
	format.TimeKey, format.EncodeTime = "time", zapcore.RFC3339NanoTimeEncoder
	format.EncodeDuration = zapcore.StringDurationEncoder
	var encoder zapcore.Encoder
	switch cfg.Format {
	case "", "json":
		encoder = zapcore.NewJSONEncoder(format)
	case "console":
		format.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(format)
	default:
		return nil, fmt.Errorf("log format %q is not one of json, console", cfg.Format)
	}
	core := redactor{zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(w)), level)}
	return zap.New(core, zap.AddStacktrace(zapcore.DPanicLevel)), nil
}

// redactor hides credentials before they reach the encoder.
type redactor struct{ zapcore.Core }

// With is the core with more fields.
func (r redactor) With(fields []zapcore.Field) zapcore.Core {
	return redactor{r.Core.With(redact(fields))}
}

// Check adds this core, not the one inside it.
func (r redactor) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if r.Enabled(e.Level) {
		return checked.AddCore(e, r)
	}
	return checked
}

// Write hides what must be hidden and writes the rest.
func (r redactor) Write(e zapcore.Entry, fields []zapcore.Field) error {
	e.Message = cleanText(e.Message)
	return r.Core.Write(e, redact(fields))
}

// redact returns the fields, copied only if one of them must change.
func redact(fields []zapcore.Field) []zapcore.Field {
	copied := false
	for i, f := range fields {
		changed, ok := redactField(f)
		if !ok {
			continue
		}
		if !copied {
			fields, copied = slices.Clone(fields), true
		}
		fields[i] = changed
	}
	return fields
}

func redactField(f zapcore.Field) (zapcore.Field, bool) {
	if sensitive(f.Key) {
		return zap.String(f.Key, hidden), true
	}
	switch f.Type {
	case zapcore.StringType:
		if text := cleanText(f.String); text != f.String {
			return zap.String(f.Key, text), true
		}
	case zapcore.ErrorType:
		if err, ok := f.Interface.(error); ok {
			if text := err.Error(); cleanText(text) != text {
				return zap.String(f.Key, cleanText(text)), true
			}
		}
	default:
	}
	return f, false
}

// sensitive names fields that are credentials; token_id is the public name of one.
func sensitive(key string) bool {
	switch strings.ToLower(key) {
	case "authorization", "cookie", "password", "passwd", "secret", "token", "join_token", "access_token", "private_key", "api_key":
		return true
	default:
		return false
	}
}

// credential matches a JSON Web Token, and the user and password of a URL.
var credential = regexp.MustCompile(`eyJ[\w-]{10,}\.[\w-]+\.[\w-]*|://[^/\s:@]+:[^/\s@]+@`)

// cleanText looks for the two letters and signs first, because the expression is slow and lines are many.
func cleanText(text string) string {
	if !strings.Contains(text, "eyJ") && !strings.Contains(text, "://") {
		return text
	}
	return credential.ReplaceAllStringFunc(text, func(found string) string {
		if strings.HasPrefix(found, "://") {
			return "://" + hidden + "@"
		}
		return hidden
	})
}
