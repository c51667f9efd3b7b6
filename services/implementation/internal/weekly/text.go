package weekly

import (
	"fmt"
	"path"
	"strings"
	"time"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// workingDay is what a day is counted as where nobody looks at a calendar.
const workingDay = 480

func (f Facts) date(t time.Time) string { return t.In(f.Week.zone()).Format("2006-01-02") }

func (f Facts) name(t *implementationv1.TaskSchedule) string {
	if t.GetDisplayName() != "" {
		return Text(t.GetDisplayName())
	}
	return Text(last(t.GetName()))
}

func owner(name string) string {
	if name == "" {
		return ""
	}
	return " — " + Text(name)
}

func last(name string) string { return path.Base(name) }

// working writes working minutes as working days of eight hours.
func working(minutes int64) string {
	days := float64(minutes) / workingDay
	word := "working days"
	if days == 1 {
		word = "working day"
	}
	return fmt.Sprintf("%.3g %s", days, word)
}

func amount(minor int64) string {
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	return fmt.Sprintf("%s%d.%02d", sign, minor/100, minor%100)
}

// Text takes what people wrote into Markdown as it is: no mark-up, one line, no table cell of its own.
func Text(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		if strings.ContainsRune("\\`*_{}[]()<>#+!|~&", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
