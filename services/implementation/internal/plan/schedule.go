package plan

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	implementationv1 "github.com/golive-dev/golive/proto/golive/implementation/v1"
	"github.com/golive-dev/golive/services/implementation/internal/calendar"
)

// Schedule is the answer.
func (p *Plan) Schedule() *implementationv1.Schedule {
	d := p.dates
	s := &implementationv1.Schedule{
		Implementation: p.in.Implementation.GetName(), StartTime: stamp(p.start()), NearCriticalMinutes: p.near,
		TargetDate: p.in.Implementation.GetTargetDate(), Baseline: p.in.Baseline.GetName(), ClassicalPert: p.pert(),
	}
	if p.net.Status != noStatus {
		s.AsOf = timestamppb.New(p.in.Now)
	}
	if len(p.net.Tasks) > 0 {
		s.EndTime = stamp(d.finish)
		s.DurationMinutes = p.net.Calendar.Count(p.start(), d.finish)
		if p.net.Target != never {
			s.TargetFloatMinutes = new(p.net.Calendar.Count(d.finish, p.net.Target))
		}
	}
	if end := p.in.Baseline.GetEndTime(); end.IsValid() && s.GetEndTime() != nil {
		s.EndVarianceMinutes = new(p.net.Calendar.Count(calendar.MinuteOf(end.AsTime()), d.finish))
	}
	s.Tasks = p.tasks()
	for _, t := range s.GetTasks() {
		switch {
		case t.GetCritical():
			s.CriticalTasks = append(s.CriticalTasks, t.GetName())
		case t.GetNearCritical():
			s.NearCriticalTasks = append(s.NearCriticalTasks, t.GetName())
		}
	}
	for _, i := range p.longest(d) {
		if p.net.Tasks[i].Task != nil {
			s.LongestPath = append(s.LongestPath, p.net.Tasks[i].Name)
		}
	}
	s.Stages = p.stages(s.GetTasks())
	s.ProgressPercent = p.progress()
	s.Conditions = p.planConditions(s)
	return s
}

// start is when the plan begins, or when its first task did.
func (p *Plan) start() calendar.Minute {
	first := p.net.Begin
	for i := range p.net.Tasks {
		if t := &p.net.Tasks[i]; t.Started {
			first = min(first, t.Start)
		}
	}
	return first
}

// tasks are those of the network in the order of their early starts.
func (p *Plan) tasks() []*implementationv1.TaskSchedule {
	d, count := p.dates, len(p.net.Tasks)
	byStart := slices.Clone(p.net.Order)
	slices.SortStableFunc(byStart, func(a, b int) int {
		return cmp.Or(cmp.Compare(d.start[a], d.start[b]), cmp.Compare(d.end[a], d.end[b]))
	})
	// One allocation for all tasks, and one for all of their times.
	slab, times := make([]implementationv1.TaskSchedule, count), stamps(make([]timestamppb.Timestamp, 4*count))
	out := make([]*implementationv1.TaskSchedule, 0, count)
	rates, conditions, variances := NewRates(p.in.Resources), p.conditions(), p.variances()
	drivers, names := make([]int, 0, 8), make([]string, 0, count)
	for at, i := range byStart {
		n := &p.net.Tasks[i]
		if n.Task == nil {
			continue
		}
		t := &slab[at]
		t.Name, t.DisplayName, t.Stage, t.State = n.Name, n.Task.GetDisplayName(), n.Stage, n.Task.GetState()
		t.Milestone, t.Deadline, t.Owner, t.ProgressPercent = n.Task.GetMilestone(), n.Task.GetDeadline(), n.Task.GetOwner(), n.Task.GetProgressPercent()
		t.EarlyStartTime, t.EarlyEndTime, times = times.put(d.start[i], d.end[i])
		t.LateStartTime, t.LateEndTime, times = times.put(d.lateStart[i], d.lateEnd[i])
		if n.Started {
			t.LateStartTime = t.GetEarlyStartTime()
		}
		if n.Started && !n.Done {
			t.ResumeTime = stamp(d.resume[i])
		}
		t.DurationMinutes, t.RemainingMinutes = n.Duration, n.Left
		t.TotalFloatMinutes, t.FreeFloatMinutes = d.float[i], d.free[i]
		t.Critical = !n.Done && t.GetTotalFloatMinutes() <= 0
		t.NearCritical = !n.Done && !t.GetCritical() && t.GetTotalFloatMinutes() <= p.near
		drivers = p.driving(d, i, drivers[:0])
		for _, from := range drivers {
			names = append(names, p.net.Tasks[from].Name)
		}
		t.DrivingPredecessors = names[len(names)-len(drivers) : len(names) : len(names)]
		t.PertMinutes, t.PertVariance = expected(n.Task)
		t.CostMinor = rates.Cost(n.Task)
		t.Conditions, t.Variance = conditions.of(i), variances.of(i, t)
		out = append(out, t)
	}
	return out
}

// stages gathers the tasks of each.
func (p *Plan) stages(tasks []*implementationv1.TaskSchedule) []*implementationv1.StageSchedule {
	out := make([]*implementationv1.StageSchedule, len(p.in.Stages))
	byName := make(map[string]*implementationv1.StageSchedule, len(out))
	members := make(map[string][]*implementationv1.TaskSchedule, len(out))
	for i, s := range p.in.Stages {
		out[i] = &implementationv1.StageSchedule{Name: s.GetName(), DisplayName: s.GetDisplayName()}
		byName[s.GetName()] = out[i]
	}
	for _, t := range tasks {
		s := byName[t.GetStage()]
		if s == nil {
			continue
		}
		members[t.GetStage()] = append(members[t.GetStage()], t)
		s.TaskCount++
		if s.GetStartTime() == nil { // they come by their starts
			s.StartTime = t.GetEarlyStartTime()
		}
		if s.GetEndTime() == nil || s.GetEndTime().AsTime().Before(t.GetEarlyEndTime().AsTime()) {
			s.EndTime = t.GetEarlyEndTime()
		}
		if t.GetState() == implementationv1.Task_DONE {
			s.DoneCount++
			continue
		}
		s.Critical = s.GetCritical() || t.GetCritical()
		if s.TotalFloatMinutes == nil || t.GetTotalFloatMinutes() < s.GetTotalFloatMinutes() {
			s.TotalFloatMinutes = new(t.GetTotalFloatMinutes())
		}
	}
	p.stageVariances(out)
	for i, s := range p.in.Stages {
		out[i].Conditions = p.stageConditions(s, out[i], members[s.GetName()])
	}
	return out
}

// progress is how much is done, in percent, weighted by duration; by number where nothing takes time.
func (p *Plan) progress() float64 {
	var done, all, ended, count float64
	for i := range p.net.Tasks {
		n := &p.net.Tasks[i]
		if n.Task == nil {
			continue
		}
		count++
		all += float64(n.Duration)
		switch {
		case n.Done:
			done, ended = done+float64(n.Duration), ended+1
		case n.Started:
			done += float64(n.Duration) * float64(n.Task.GetProgressPercent()) / 100
		}
	}
	switch {
	case all > 0:
		return 100 * done / all
	case count > 0:
		return 100 * ended / count
	default:
		return 0
	}
}

// stamps are times that were allocated together.
type stamps []timestamppb.Timestamp

func (s stamps) put(start, end calendar.Minute) (a, b *timestamppb.Timestamp, rest stamps) {
	s[0].Seconds, s[1].Seconds = int64(nameable(start))*60, int64(nameable(end))*60
	return &s[0], &s[1], s[2:]
}

func stamp(m calendar.Minute) *timestamppb.Timestamp {
	return &timestamppb.Timestamp{Seconds: int64(nameable(m)) * 60}
}

// nameable keeps a late date that lies before the year 1 in what a timestamp can hold.
func nameable(m calendar.Minute) calendar.Minute {
	const first = -1_035_593_280
	return max(m, first)
}
