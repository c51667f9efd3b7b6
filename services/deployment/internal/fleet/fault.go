package fleet

import (
	"math/rand/v2"
	"time"

	"github.com/golive-dev/golive/pkg/fault"
)

const reasonStopping = "SERVER_STOPPING"

// busyFor is over how long those are spread who must come again.
const busyFor = 10 * time.Second

func stopping() error {
	return fault.Unavailable(reasonStopping, "this server is stopping; connect again").RetryAfter(time.Second)
}

func busy() error {
	return fault.Unavailable("SERVER_BUSY", "too many agents connect at once; connect again when told").RetryAfter(time.Second + rand.N(busyFor)) //nolint:gosec // spreads load, keeps no secret
}

func helloExpected() error {
	return fault.Invalid("HELLO_EXPECTED", "the agent did not say Hello within %s, before all else; update it, or send Hello first", helloTime)
}

func superseded() error {
	return fault.Conflict("STREAM_SUPERSEDED", "the same agent has connected again; this stream is not needed any more")
}

func changed(agent string) error {
	return fault.Unavailable("AGENT_CHANGED", "what %s serves has changed; connect again to hear of it", agent).RetryAfter(100 * time.Millisecond)
}

func silent(agent string, since time.Duration) error {
	return fault.Unavailable("HEARTBEAT_MISSED", "%s said nothing for %s; connect again", agent, since.Round(time.Millisecond))
}

func certificateExpired(agent string) error {
	return fault.Unauthenticated("CERTIFICATE_EXPIRED", "the certificate of %s has ended; renew it in time, or enrol again with a new join token", agent)
}

func quarantined(agent, why string) error {
	return fault.Precondition("AGENT_QUARANTINED", "%s is in quarantine, because %s; nothing is commanded until a person releases it", agent, why).
		Subject("AGENT_QUARANTINED", agent, "is claimed by two processes")
}
