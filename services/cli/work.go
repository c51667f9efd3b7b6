package cli

import (
	"regexp"
	"strconv"
	"strings"
)

// Minutes of work of the units that durations of a plan are written in.
const (
	workHour = 60
	workDay  = 480 // of the default calendar
	workWeek = 5 * workDay
)

// workForm is a duration of work: 2d, 4h, 90m, 1d4h, 1.5d.
var workForm = regexp.MustCompile(`^(?:([0-9.]+)w)?(?:([0-9.]+)d)?(?:([0-9.]+)h)?(?:([0-9.]+)m)?$`)

// workMinutes reads a duration of work as people write it, in minutes.
func workMinutes(flag, text string) (int32, error) {
	refused := usage("--"+flag+" "+text+" is no duration of work", "write 2d, 4h, 90m or 1d4h; a day has 480 minutes")
	found := workForm.FindStringSubmatch(strings.ReplaceAll(text, " ", ""))
	if text == "0" {
		return 0, nil
	}
	if found == nil || text == "" {
		return 0, refused
	}
	total := 0.0
	for i, unit := range []float64{workWeek, workDay, workHour, 1} {
		if found[i+1] == "" {
			continue
		}
		number, err := strconv.ParseFloat(found[i+1], 64)
		if err != nil {
			return 0, refused
		}
		total += number * unit
	}
	const most = 5_256_000 // ten years, day and night
	if total > most {
		return 0, refused
	}
	return int32(total + .5), nil
}

// workText writes minutes of work as people do: 2d, 4h, 90m, -1d.
func workText(minutes int64) string {
	if minutes < 0 {
		return "-" + workText(-minutes)
	}
	switch {
	case minutes == 0:
		return "0"
	case minutes%workDay == 0:
		return strconv.FormatInt(minutes/workDay, 10) + "d"
	case minutes > workDay:
		return strconv.FormatInt(minutes/workDay, 10) + "d" + workText(minutes%workDay)
	case minutes%workHour == 0:
		return strconv.FormatInt(minutes/workHour, 10) + "h"
	case minutes > workHour:
		return strconv.FormatInt(minutes/workHour, 10) + "h" + workText(minutes%workHour)
	default:
		return strconv.FormatInt(minutes, 10) + "m"
	}
}
