package readiness

import (
	"time"

	gatev1 "github.com/golive-dev/golive/proto/golive/gate/v1"
	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
)

// Facts are what was counted about one cohort plan at one moment. Only those that its criteria ask for need to be there.
type Facts struct {
	// Now is when they were read.
	Now time.Time
	// Headcount is how many members the cohort has at its go-live.
	Headcount int64
	// Owner is who answers for the cohort; asked where the plan names nobody.
	Owner string
	// Trained has the counts of each trained criterion, by its id.
	Trained map[string]Trained
	// Proficient has the counts of each proficient criterion, by its id; Done are those who have passed.
	Proficient map[string]Trained
	// Applications are those of the implementation.
	Applications []string
	// Provisioned is how many members have an account, by application.
	Provisioned map[string]int64
	// Stakeholders are those of the implementation.
	Stakeholders []Stakeholder
	// Pulses are the last closed waves of the surveys that are asked for, by survey.
	Pulses map[string]Pulse
	// SuperUsers is how many members are super-users at the go-live.
	SuperUsers int64
	// Messages are the communications that the cohort must know.
	Messages []Message
	// Critical are the open critical challenges that touch the cohort.
	Critical []string
	// Capacity is how much change the cohort can take in a week; 0 where nobody said.
	Capacity float64
	// Loads is how much change it is asked for, a week at an index, from the week of the go-live on.
	Loads []Load
	// Technical is what the deployment service last said, by resource.
	Technical map[string]Technical
}

// Stakeholder is somebody whose word counts.
type Stakeholder struct {
	Name       string
	Influence  int32
	Supportive bool // stance SUPPORTIVE or CHAMPION
	Sponsor    bool
	Acted      time.Time // of a sponsor; zero where never
}

// Pulse is what the people of a cohort answered to a pulse survey, as far as it may be shown.
type Pulse struct {
	Wave     string // empty where there was none
	Closed   time.Time
	Invited  int64
	Answered int64
	// Hidden says why the answers of this cohort are not shown; empty where they are.
	Hidden string
	// Agree is how many answered 4 or 5, out of those who answered the statement.
	Agree map[implementationv1.PulseCriterion_Element]Count
}

// Count is a part of a whole.
type Count struct{ Part, Whole int64 }

// Message is a communication and whom it reached.
type Message struct {
	Name      string
	Display   string
	Delivered int64
	Audience  int64
}

// Load is the change that a cohort is asked for in a week.
type Load struct {
	Week time.Time // its Monday
	Load float64   // Σ impact × share of the cohort
	From []string  // the implementations it comes from
}

// Technical is what the deployment service said of a resource.
type Technical struct {
	State   gatev1.Verdict_State
	Asked   time.Time // zero where nobody could ask
	Reasons []*gatev1.BlockedBy
	Waiting []string
}
