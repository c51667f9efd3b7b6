package sheet

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Minutes of the units that a duration may be written in.
const (
	minutesOfHour = 60
	minutesOfDay  = 480 // of the default calendar, as the API counts
	minutesOfWeek = 5 * minutesOfDay
)

// mostMinutes is what an estimate may be at most: ten years, day and night.
const mostMinutes = 5_256_000

var errDuration = errors.New("is no duration; write 2d, 4h, 90m or 1d4h (a day has 480 minutes of work)")

// Minutes reads a duration of work: 2d, 4h, 90m, 1d4h, 1.5 days, 2 weeks. A
// number without a unit is refused, as nobody can tell what it counts; but 0 is 0.
func Minutes(text string) (int32, error) {
	rest := strings.ToLower(strings.ReplaceAll(text, " ", ""))
	if rest == "0" {
		return 0, nil
	}
	if rest == "" {
		return 0, errDuration
	}
	total := 0.0
	for rest != "" {
		digits := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if digits <= 0 {
			return 0, errDuration
		}
		number, err := strconv.ParseFloat(rest[:digits], 64)
		if err != nil {
			return 0, errDuration
		}
		rest = rest[digits:]
		end := strings.IndexAny(rest, "0123456789.")
		if end < 0 {
			end = len(rest)
		}
		unit, known := unitMinutes(rest[:end])
		if !known {
			return 0, errDuration
		}
		total, rest = total+number*unit, rest[end:]
	}
	if total > mostMinutes {
		return 0, errors.New("is longer than ten years")
	}
	return int32(math.Round(total)), nil
}

func unitMinutes(unit string) (float64, bool) {
	switch unit {
	case "m", "min", "mins", "minute", "minutes":
		return 1, true
	case "h", "hr", "hrs", "hour", "hours":
		return minutesOfHour, true
	case "d", "day", "days":
		return minutesOfDay, true
	case "w", "wk", "wks", "week", "weeks":
		return minutesOfWeek, true
	default:
		return 0, false
	}
}

// Duration writes minutes of work so that [Minutes] reads them: 2d, 4h, 90m.
func Duration(minutes int32) string {
	n := int(minutes)
	switch {
	case n == 0:
		return "0"
	case n%minutesOfDay == 0:
		return strconv.Itoa(n/minutesOfDay) + "d"
	case n%minutesOfHour == 0:
		return strconv.Itoa(n/minutesOfHour) + "h"
	default:
		return strconv.Itoa(n) + "m"
	}
}
