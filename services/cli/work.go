package cli

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/golive-dev/golive/services/cli/internal/show"
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
	for i, unit := range []float64{show.WorkWeek, show.WorkDay, show.WorkHour, 1} {
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
