package influx

import (
	"time"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// evening is a Tuesday, yesterday's week's: young enough for the samples to be kept.
var evening = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -10).Add(17 * time.Hour)

func at(seconds float64) time.Time {
	return evening.Add(time.Duration(seconds * float64(time.Second)))
}

// athlete is a name of this test's own.
func (r *rig) athlete(name string) lift.AthleteID { return lift.AthleteID(name + "-" + string(r.site)) }

func (r *rig) rep(seq int64, athlete lift.AthleteID, when time.Time, velocity float64, change ...func(*lift.Rep)) journal.Event {
	rep := &lift.Rep{BootID: "b1", Seq: seq, Time: when, Athlete: athlete, MeanVelocity: velocity}
	if athlete != "" {
		rep.Exercise, rep.LoadKg = "deadlift", new(120.0)
	}
	for _, c := range change {
		c(rep)
	}
	return journal.Event{Kind: journal.KindRep, Received: when, Site: r.site, Device: "bar-1", Athlete: athlete, Rep: rep}
}

// reps are n reps of one athlete, in sets of five.
func (r *rig) reps(first int64, n int, athlete lift.AthleteID) []journal.Event {
	events := make([]journal.Event, n)
	for i := range events {
		events[i] = r.rep(first+int64(i), athlete, at(float64(i/5*180+i%5*3)), 0.6-0.01*float64(i%5))
	}
	return events
}

func (r *rig) tick(when time.Time) journal.Event {
	return journal.Event{Kind: journal.KindTick, Received: when, Minute: when.Truncate(time.Minute)}
}

func (r *rig) status(state lift.DeviceState, when time.Time) journal.Event {
	return journal.Event{
		Kind: journal.KindStatus, Received: when, Site: r.site, Device: "bar-1",
		Status: &lift.DeviceStatus{State: state, BatteryPct: new(82.0), RSSIDbm: new(-61.0)},
	}
}

func (r *rig) assign(athlete lift.AthleteID, exercise lift.ExerciseID, since time.Time) journal.Event {
	return journal.Event{
		Kind: journal.KindAssign, Received: since, Site: r.site, Device: "bar-1", Athlete: athlete,
		Assign: &lift.Assignment{Athlete: athlete, Exercise: exercise, LoadKg: new(100.0), Since: since, SinceGiven: true},
	}
}

func (r *rig) edit(e lift.RepEdit, seq int64, athlete lift.AthleteID) journal.Event {
	e.RepID, e.By, e.At = lift.RepID(r.site, "bar-1", "b1", seq), "coach", at(4000)
	return journal.Event{Kind: journal.KindEdit, Received: at(4000), Site: r.site, Athlete: athlete, Edit: &e}
}

func (r *rig) found(id string, athlete lift.AthleteID, severity lift.Severity, message string, when time.Time) journal.Event {
	return journal.Event{
		Kind: journal.KindAlert, Received: when, Site: r.site, Athlete: athlete,
		Alert: &lift.AlertChange{AlertID: id, Verb: lift.AlertFound, At: when, Finding: &lift.Finding{
			ID: id, Site: r.site, Athlete: athlete, Rule: "velocity-loss", Severity: severity, Message: message,
			Window:   lift.Window{Kind: lift.WindowSet, ID: "st_1", From: when, To: when},
			Evidence: lift.Evidence{Value: 21.15, Unit: "pct", Threshold: 20, Confidence: "full"},
		}},
	}
}

func (r *rig) retract(id string, athlete lift.AthleteID, when time.Time) journal.Event {
	return journal.Event{
		Kind: journal.KindAlert, Received: when, Site: r.site, Athlete: athlete,
		Alert: &lift.AlertChange{AlertID: id, Verb: lift.AlertRetract, At: when},
	}
}

func (r *rig) chunk(n int64, when time.Time, rate float64, velocity ...float64) journal.Event {
	return journal.Event{
		Kind: journal.KindSamples, Received: when, Site: r.site, Device: "bar-1",
		Samples: &lift.Samples{BootID: "b1", Chunk: n, Time: when, RateHz: rate, Velocity: velocity},
	}
}
