package show

import "strconv"

// Minutes of work of the units that durations of a plan are written in.
const (
	WorkHour = 60
	WorkDay  = 480 // of the default calendar
	WorkWeek = 5 * WorkDay
)

// Work writes minutes of work as people do: 2d, 4h, 90m, -1d.
func Work(minutes int64) string {
	if minutes < 0 {
		return "-" + Work(-minutes)
	}
	switch {
	case minutes == 0:
		return "0"
	case minutes%WorkDay == 0:
		return strconv.FormatInt(minutes/WorkDay, 10) + "d"
	case minutes > WorkDay:
		return strconv.FormatInt(minutes/WorkDay, 10) + "d" + Work(minutes%WorkDay)
	case minutes%WorkHour == 0:
		return strconv.FormatInt(minutes/WorkHour, 10) + "h"
	case minutes > WorkHour:
		return strconv.FormatInt(minutes/WorkHour, 10) + "h" + Work(minutes%WorkHour)
	default:
		return strconv.FormatInt(minutes, 10) + "m"
	}
}
