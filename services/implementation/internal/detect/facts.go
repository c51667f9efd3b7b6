package detect

import "time"

// Facts are what the rules look at: one implementation, as of the end of a week.
// A list that is empty is something that there is none of; what could not be read is in Missing.
type Facts struct {
	Implementation string
	Now            time.Time
	Week           Week
	// Missing are the rules whose facts cannot be had, with the reason.
	Missing map[ID]string

	Adoption     []Adoption
	Unused       []Unused
	OldWay       []OldWay
	Sentiment    []Sentiment
	Silence      []Silence
	Pulse        []Pulse
	Avoidance    []Avoidance
	Support      []Support
	Stakeholders *Stakeholders

	Loads     []Load
	Tasks     []Task
	Scarcity  *Scarcity
	Earned    *Earned
	Seats     []Seats
	Remaining []Work

	Saturation   []Saturation
	Shared       []Shared
	Stalled      []Stalled
	GoLives      []GoLive
	Postponement []Postponement
	Declines     []Declines
}

// Group is the people that a fact is about.
type Group struct {
	Plan   string // the cohort plan
	Cohort string
}

// Adoption is how many use the new way (R1).
type Adoption struct {
	Group
	Eligible, Active int64
	Planned          *float64  // the share that the plan has for the end of the window; nil without a planned curve
	Target           time.Time // when the target share is due; zero without one
	Forecast         Forecast
}

// Forecast is when a target is reached with a probability of 80 %.
type Forecast struct {
	Known bool
	P80   time.Time // zero: not within what can be foreseen
}

// Unused is how many were trained two weeks ago or earlier, and have not used it since (R2).
type Unused struct {
	Group
	Trained, Idle int64
}

// OldWay is how many go on in the old system (R3).
type OldWay struct {
	Group
	Days              int   // since cut-over
	Eligible, Old     int64 // members, and those of them active in the old system
	Adopted, Reverted int64 // who had come over, and who of them went back
}

// Share is a count out of a count.
type Share struct{ X, N int64 }

// Wave is where a survey's numbers are from.
type Wave struct {
	Survey       string
	Name, Before string // of the wave, and of the one before it; resource names
	Closed       time.Time
}

func (w Wave) window() Window { return Window{Name: w.Name, Before: w.Before, End: w.Closed} }

// Sentiment is a released share of good answers, and that of the waves before (R4).
type Sentiment struct {
	Group
	Wave
	Question string
	Now      Share
	Baseline []Share // the last four waves before, the newest first
}

// Silence is how many answered, and how many did before (R5).
type Silence struct {
	Group
	Wave
	Now      Share
	Baseline []Share
}

// Pulse are the released answers to an ADKAR pulse (R6).
type Pulse struct {
	Group
	Wave
	Elements []Element // in order
}

// Element is one statement of the pulse: its letter's word, and how many said 4 or 5.
type Element struct {
	Name string
	Good Share
}

// Avoidance is who stays away from trainings (R7).
type Avoidance struct {
	Group
	Invited, NoShow, Overdue int64
	Others                   Share // the same of all other cohorts
}

// Support is what the help desk hears (R8). Exposure is user-weeks.
type Support struct {
	Group
	Week                      int // since go-live, from 1
	Users                     int64
	Tickets, BaselineTickets  int64
	Exposure, BaselineExposed float64
}

// Stakeholders are those who decide and persuade (R9). Counts only: no rule about resistance names a person.
type Stakeholders struct {
	Influential, Reluctant, Turned int64 // influence ≥ 4; of those: at NEUTRAL or below, and down in the last four weeks
	DaysToGoLive                   *int  // to the next one; nil without
	SponsorSilent                  *int  // days since the sponsor last acted; nil without a sponsor
}

// Load is what is allocated of a resource, by day (L1).
type Load struct {
	Resource string
	Days     []DayLoad
}

// DayLoad is a working day of a resource.
type DayLoad struct {
	Day                 time.Time
	Allocated, Capacity int64 // minutes
}

// Task is a task that has not begun (L2).
type Task struct {
	Name        string
	Start       time.Time
	FloatDays   float64
	Criticality *float64 // of the last forecast; nil without one
	Named       bool     // somebody is assigned
}

// Scarcity is what a plan takes with and without enough of everything (L3). Days are working days.
type Scarcity struct {
	CriticalDays, LevelledDays     float64
	CriticalFinish, LevelledFinish time.Time
	Target                         time.Time // zero without one
	Scarce                         string    // what there is too little of, for people; empty where it is not known
	Resources                      []string
}

// Earned is earned value at the end of the week (L4, L5); what is not defined is nil.
type Earned struct {
	SPIt, CPI, EAC, TCPI *float64
	BAC                  float64
}

// Seats is whether a training has room for who still needs it before the go-live (L6).
type Seats struct {
	Group
	Training       string
	Members        int64
	Still, Free    int64
	GoLive         time.Time
	SessionsBefore int
}

// Work is what is left of a task for one person (L7).
type Work struct {
	Task, Person string
	Minutes      int64
	Sensitivity  float64 // how much the finish depends on it, 0 to 1
}

// Saturation is what comes over a cohort at once (P1).
type Saturation struct {
	Group
	Members  int64
	Capacity float64 // points a week; 0 where nobody said
	Weeks    []ChangeWeek
}

// ChangeWeek is what touches a cohort in a week.
type ChangeWeek struct {
	Week    Week
	Touches []Touch
}

// Touch is one implementation that touches a share of a cohort.
type Touch struct {
	Plan          string
	Impact, Share float64
}

// Shared is a resource that several implementations want (P2, P3).
type Shared struct {
	Resource string
	Weeks    []SharedWeek
}

// SharedWeek is what they want of it in a week.
type SharedWeek struct {
	Week     Week
	Capacity int64 // minutes
	Plans    []PlanLoad
}

// PlanLoad is what one implementation wants, in minutes.
type PlanLoad struct {
	Implementation string
	Minutes        int64
}

// Stalled is a task that does not move (P4).
type Stalled struct {
	Task      string
	Person    string // who is assigned; empty for nobody
	FloatDays float64
	IdleDays  float64
	Since     time.Time // it last moved
	Priority  int32     // of the task
	Plan      int32     // of its implementation
	Finished  []Finished
}

// Finished is a task that the same person finished in another implementation, since the stalled one last moved.
type Finished struct {
	Task  string
	Lower bool // see [Stalled.Lower]
}

// GoLive is when a cohort goes live, and what else is then (P5).
type GoLive struct {
	Group
	Start, End time.Time // zero: no date
	Others     []Span
}

// Span is a time in which something else is.
type Span struct {
	What       string // "blackout", "another wave", "deployment freeze"
	Name       string
	Start, End time.Time
}

// Postponement is every date that a go-live has had, oldest first (P6).
type Postponement struct {
	Group
	Begin time.Time // of the implementation, or of the record where that is not known
	Dates []time.Time
}

// Declines is who said no to a training because of something else (P7).
type Declines struct {
	Group
	Invited, Conflict int64
}
