package gate

import (
	"slices"
	"strings"
	"time"

	deploymentv1 "github.com/golive-dev/golive/proto/golive/deployment/v1"
)

func lastSegment(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

func applicationOf(d *deploymentv1.Deployment) string {
	application, _, _ := strings.Cut(d.GetName(), "/deployments/")
	return application
}

// nth returns the nth earliest of some times, from 1; the zero time where there are fewer.
func nth(times []time.Time, n int) time.Time {
	if n < 1 || n > len(times) {
		return time.Time{}
	}
	slices.SortFunc(times, time.Time.Compare)
	return times[n-1]
}
