package show

import (
	"fmt"
	"strings"
	"time"
)

// Spark draws values as a line of blocks between low and high, each the lowest of those
// that fall on it where there are more than fit: what hurts must not be averaged away.
func Spark(values []float64, width int, low, high float64) string {
	blocks := []rune("▁▂▃▄▅▆▇█")
	width = min(width, len(values))
	var line strings.Builder
	for i := range width {
		part := values[i*len(values)/width : (i+1)*len(values)/width]
		least := part[0]
		for _, v := range part {
			least = min(least, v)
		}
		height := 0.0
		if high > low {
			height = (least - low) / (high - low)
		}
		line.WriteRune(blocks[int(max(0, min(1, height))*float64(len(blocks)-1)+0.5)])
	}
	return line.String()
}

// Latency is a short time as people read it: "850µs", "3.2ms", "1.25s".
func Latency(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%dµs", d.Microseconds())
	case d < 100*time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	default:
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
}
