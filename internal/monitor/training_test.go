package monitor_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/spotterhq/spotter/ingest"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/sim"
)

// begin is a Monday.
var begin = time.Date(2026, 8, 31, 0, 0, 0, 0, time.UTC)

// season is nine weeks of four lifters in the order of time, each with a cause for
// an alert: a spike, a slow set, pain, a red flag. Everything is received a second
// after it happened.
func season(seed uint64) []journal.Event {
	var events []journal.Event
	for i, l := range sim.Roster(seed, 6) {
		if l.Cause == "" || l.Cause == sim.VolumeEdge {
			continue
		}
		device := sim.Load{}.Device(i)
		messages, _ := sim.History(l, sim.Past{Site: "main", Device: device, From: begin, To: begin.AddDate(0, 0, 66)})
		for _, m := range messages {
			for _, e := range ingest.Decode(ingest.Message{Topic: m.Topic, Payload: m.Payload, Received: m.At}).Events {
				switch {
				case e.Kind == journal.KindRep && (e.Rep.Exercise == sim.Deadlift || e.Rep.Exercise == sim.Squat):
					e.Rep.Historical, e.Hash = false, ""
					e.Received = e.Rep.Time.Add(time.Second)
					events = append(events, e)
				case e.Kind == journal.KindCheckIn && (e.CheckIn.Pain != nil || e.CheckIn.Symptoms != nil):
					e.Received = e.CheckIn.Time.Add(time.Second)
					events = append(events, e)
				}
			}
		}
	}
	slices.SortStableFunc(events, byReceipt)
	return events
}

func byReceipt(a, b journal.Event) int { return a.Received.Compare(b.Received) }

// athletesOf are those of whom the events speak.
func athletesOf(events []journal.Event) []lift.AthleteID {
	var ids []lift.AthleteID
	for _, e := range events {
		if e.Athlete != "" && !slices.Contains(ids, e.Athlete) {
			ids = append(ids, e.Athlete)
		}
	}
	slices.Sort(ids)
	return ids
}

// within shuffles events by delaying each by up to the given time.
func within(events []journal.Event, late time.Duration, rng *rand.Rand) []journal.Event {
	events = slices.Clone(events)
	for i := range events {
		events[i].Received = events[i].Received.Add(time.Duration(rng.Int64N(int64(late))))
	}
	slices.SortStableFunc(events, byReceipt)
	return events
}

// backwards is the last first; the clock goes forward all the same.
func backwards(events []journal.Event) []journal.Event {
	end := events[len(events)-1].Received
	events = slices.Clone(events)
	slices.Reverse(events)
	for i := range events {
		events[i].Received = end.Add(time.Duration(i) * time.Millisecond)
	}
	return events
}

// minutes puts a tick into every gap of the events that is longer than two
// minutes, two minutes after the event before it.
func minutes(events []journal.Event) []journal.Event {
	var out []journal.Event
	for i, e := range events {
		out = append(out, e)
		if i+1 < len(events) && events[i+1].Received.Sub(e.Received) > 2*time.Minute {
			out = append(out, tickAt(e.Received.Add(2*time.Minute)))
		}
	}
	return out
}

// slow is a deadlift set of one athlete that begins at the given time: steady, but
// for the last reps, whose velocities are given.
func slow(athlete lift.AthleteID, at time.Time, set int, last ...float64) []journal.Event {
	velocities := append([]float64{0.50, 0.52, 0.51}, last...)
	var events []journal.Event
	for i, v := range velocities {
		when := at.Add(time.Duration(4*i) * time.Second)
		events = append(events, repEvent(athlete, when, int64(100*set+i), func(r *lift.Rep) { r.Set, r.MeanVelocity = &set, v }))
	}
	return events
}

// repEvent is one deadlift at 120 kg, received as it happened.
func repEvent(athlete lift.AthleteID, at time.Time, seq int64, change ...func(*lift.Rep)) journal.Event {
	load := 120.0
	r := &lift.Rep{
		BootID: "b-" + at.Format("0102"), Seq: seq, Time: at.Truncate(time.Millisecond), Athlete: athlete, Exercise: sim.Deadlift,
		LoadKg: &load, Set: new(1), MeanVelocity: 0.5,
	}
	for _, c := range change {
		c(r)
	}
	return journal.Event{Kind: journal.KindRep, Received: at, Site: "main", Device: lift.DeviceID("bar-" + string(athlete)), Athlete: r.Athlete, Rep: r}
}

// setEvent is a row of a training log.
func setEvent(athlete lift.AthleteID, row int, at time.Time, reps int, kg float64) journal.Event {
	return journal.Event{Kind: journal.KindSetLogged, Received: at, Site: "main", Athlete: athlete, By: "kim", Logged: &lift.LoggedSet{
		ID: lift.LoggedSetID(athlete, "strong", strconv.Itoa(row)), Log: "strong", Exercise: sim.Deadlift, Time: at, Reps: reps, LoadKg: &kg,
	}}
}

// again is the row as a later import has it.
func again(e journal.Event, change func(*lift.LoggedSet)) journal.Event {
	s := *e.Logged
	s.Revision++
	change(&s)
	e.Logged, e.Hash = &s, ""
	return e
}

func repIDOf(e journal.Event) string { return lift.RepID(e.Site, e.Device, e.Rep.BootID, e.Rep.Seq) }

// edit is a coach's correction of the rep of an event.
func edit(rep journal.Event, at time.Time, change func(*lift.RepEdit)) journal.Event {
	e := &lift.RepEdit{RepID: repIDOf(rep), By: "coach", At: at}
	change(e)
	return journal.Event{Kind: journal.KindEdit, Received: at, Site: rep.Site, Device: rep.Device, Athlete: rep.Athlete, Edit: e}
}

func invalid(e *lift.RepEdit) { e.Valid = new(false) }
func valid(e *lift.RepEdit)   { e.Valid = new(true) }

// revised is the rep again, corrected by its device.
func revised(rep journal.Event, at time.Time, change func(*lift.Rep)) journal.Event {
	r := *rep.Rep
	r.Revision++
	change(&r)
	rep.Rep, rep.Hash, rep.Received = &r, "", at
	return rep
}

// report is a check-in.
func report(athlete lift.AthleteID, at time.Time, phase lift.Phase, pain int, symptoms ...lift.Symptom) journal.Event {
	return journal.Event{
		Kind: journal.KindCheckIn, Received: at, Site: "main", Athlete: athlete,
		CheckIn: &lift.CheckIn{Time: at, Phase: phase, Pain: &pain, Symptoms: symptoms},
	}
}
