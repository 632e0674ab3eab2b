package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/view"
)

// gym is the past that lists are measured on: so many athletes who train four times
// a week, 75 reps each time, with a report after it and alerts about it.
type gym struct {
	athletes, reps, alerts int
	end                    time.Time
}

const (
	gymSites       = 10
	gymTeams       = 4 // of each site
	gymQuarantined = 2000
	setsOfSession  = 15
	repsOfSet      = 5
)

func (g *gym) site(athlete int) lift.SiteID {
	return lift.SiteID(fmt.Sprintf("site-%d", athlete%gymSites))
}

func (g *gym) team(athlete int) lift.TeamID {
	return lift.TeamID(fmt.Sprintf("team-%d", athlete/gymSites%gymTeams))
}

func (g *gym) athlete(i int) lift.AthleteID { return lift.AthleteID(fmt.Sprintf("a%04d", i)) }

// bar is one of ten of the athlete's site.
func (g *gym) bar(athlete int) lift.DeviceID {
	return lift.DeviceID(fmt.Sprintf("bar-%d", athlete/gymSites%10))
}

func (g *gym) sessions() int { return max(1, g.reps/g.athletes/(setsOfSession*repsOfSet)) }

// began is the day of the first session: four a week, the last of them yesterday.
func (g *gym) began() time.Time {
	return g.end.Truncate(24*time.Hour).AddDate(0, 0, -1-(g.sessions()-1)*7/4)
}

// fill puts the gym into a data folder's log as ingest, API and monitor would have,
// lets the view follow it, and notes that all of it was judged: alerts of an unlucky
// year are not for the monitor to doubt.
func (g *gym) fill(ctx context.Context, dir string) (err error) {
	quiet := slog.New(slog.DiscardHandler)
	log, err := journal.Open(ctx, journal.Options{Dir: filepath.Join(dir, "log"), Fsync: time.Second, Logger: quiet})
	if err != nil {
		return err
	}
	defer log.Close()
	v, err := view.Open(ctx, filepath.Join(dir, "view.db"), quiet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	filling, stop := context.WithCancel(ctx)
	failed := make(chan error, 1)
	go func() { failed <- v.Run(filling, log) }()
	last, err := g.append(ctx, log)
	if err == nil {
		err = v.WaitFor(ctx, last)
	}
	stop()
	if runErr := <-failed; !errors.Is(runErr, context.Canceled) {
		err = errors.Join(err, runErr)
	}
	if err != nil {
		return err
	}
	return log.SavePosition(ctx, "monitor", last)
}

// append returns the sequence of the last event.
func (g *gym) append(ctx context.Context, log *journal.Log) (last uint64, err error) {
	batch := make([]journal.Event, 0, journal.MaxBatch)
	flush := func() error {
		acks, err := log.Append(ctx, batch...)
		for _, a := range acks {
			last = max(last, a.Seq)
		}
		batch = batch[:0]
		return err
	}
	for e := range g.events() {
		if batch = append(batch, e); len(batch) == cap(batch) {
			if err := flush(); err != nil {
				return last, err
			}
		}
	}
	err = flush()
	return last, err
}

// events are everything that has happened, in the order of time but for what belongs
// to one session.
func (g *gym) events() iter.Seq[journal.Event] {
	return func(yield func(journal.Event) bool) {
		random := rand.New(rand.NewPCG(1, 2))
		began := g.began()
		for e := range g.records(began) {
			if !yield(e) {
				return
			}
		}
		seqs := make([]int64, g.athletes)
		for session := range g.sessions() {
			day := began.AddDate(0, 0, session*7/4)
			for athlete := range g.athletes {
				start := day.Add(6*time.Hour + time.Duration(athlete%48)*15*time.Minute + time.Duration(athlete)*time.Millisecond)
				for e := range g.session(random, athlete, session, start, &seqs[athlete]) {
					if !yield(e) {
						return
					}
				}
			}
		}
		for i := range gymQuarantined {
			received := g.end.Add(time.Duration(i-gymQuarantined) * time.Hour) // which is not too long ago to be kept
			q := &lift.Quarantined{
				ID: "qu_" + lift.Digest("bench", fmt.Sprint(i)), Topic: fmt.Sprintf("spotter/v1/%s/device/%s/rep", g.site(i), g.bar(i)),
				Reason: "is 9.7, above 4", Field: "mean_velocity_mps", Received: received, Bytes: []byte(`{"boot_id":"b7","seq":1,"mean_velocity_mps":9.7}`),
			}
			q.Size = len(q.Bytes)
			if !yield(journal.Event{Kind: journal.KindQuarantined, Received: received, Site: g.site(i), Quarantined: q}) {
				return
			}
		}
		yield(journal.Event{Kind: journal.KindTick, Received: g.end, Minute: g.end.Truncate(time.Minute)})
	}
}

// records are what coaches have written down: each athlete in three revisions.
func (g *gym) records(at time.Time) iter.Seq[journal.Event] {
	return func(yield func(journal.Event) bool) {
		put := func(r lift.Record, site lift.SiteID, athlete lift.AthleteID) bool {
			r.By, r.At = "coach", at
			return yield(journal.Event{Kind: journal.KindRecord, Received: at, Site: site, Athlete: athlete, By: "coach", Record: &r})
		}
		for s := range gymSites {
			site := g.site(s)
			if !put(lift.Record{Kind: lift.OfSite, ID: string(site), Revision: 1, Site: &lift.SiteRecord{Name: "Gym " + string(site), Zone: "Europe/Berlin"}}, site, "") {
				return
			}
			for t := range gymTeams {
				team := g.team(t * gymSites)
				if !put(lift.Record{Kind: lift.OfTeam, ID: string(site) + "/" + string(team), Revision: 1, Team: &lift.TeamRecord{Name: "Squad " + string(team)}}, site, "") {
					return
				}
			}
		}
		for i := range g.athletes {
			for revision := range int64(3) {
				profile := &lift.AthleteProfile{
					Name: fmt.Sprintf("Lifter %d of %s", i, g.site(i)), Site: g.site(i), Teams: []lift.TeamID{g.team(i)}, Goal: "strength",
					Born: 1980 + i%25, MaximumKg: map[lift.ExerciseID]float64{"deadlift": 180 + float64(revision), "squat": 150},
				}
				if !put(lift.Record{Kind: lift.OfAthlete, ID: string(g.athlete(i)), Revision: revision + 1, Athlete: profile}, g.site(i), g.athlete(i)) {
					return
				}
			}
		}
	}
}

// session is one athlete's training on one day.
func (g *gym) session(random *rand.Rand, athlete, number int, start time.Time, seq *int64) iter.Seq[journal.Event] {
	exercises := [...]lift.ExerciseID{"squat", "deadlift", "bench_press"}
	return func(yield func(journal.Event) bool) {
		e := journal.Event{Site: g.site(athlete), Athlete: g.athlete(athlete)}
		at := start
		for set := range setsOfSession {
			load := 100 + 2.5*float64(number%8) + 5*float64(set%5)
			for n := range repsOfSet {
				rom := 0.5 + 0.04*random.Float64()
				mean := 0.62 - 0.02*float64(n) - 0.05*random.Float64()
				rep := e
				rep.Kind, rep.Device, rep.Received = journal.KindRep, g.bar(athlete), at.Add(200*time.Millisecond)
				rep.Rep = &lift.Rep{
					BootID: "b" + string(e.Athlete), Seq: *seq, Time: at, Athlete: e.Athlete, Exercise: exercises[set/5], LoadKg: &load,
					Set: new(set%5 + 1), Rep: new(n + 1), MeanVelocity: mean, PeakVelocity: new(mean * 1.6), ROM: &rom, Concentric: new(rom / mean),
				}
				*seq++
				if !yield(rep) {
					return
				}
				at = at.Add(3 * time.Second)
			}
			at = at.Add(3 * time.Minute)
		}
		report := e
		report.Kind, report.Received, report.By = journal.KindCheckIn, at, string(e.Athlete)
		report.CheckIn = &lift.CheckIn{Time: at, Phase: lift.PhaseAfter, Pain: new(random.IntN(3)), SleepH: new(6 + 2*random.Float64()), Soreness: new(1 + random.IntN(4))}
		if !yield(report) {
			return
		}
		look := e
		look.Kind, look.Received = journal.KindRead, at
		look.Read = &lift.Read{By: "coach", Operation: "list-sets", Count: 1 + random.IntN(5), From: at.Add(-time.Minute), To: at}
		if !yield(look) {
			return
		}
		share := g.alerts / g.athletes
		for n := share * number / g.sessions(); n < share*(number+1)/g.sessions(); n++ {
			for _, said := range g.alert(random, athlete, n, at.Add(time.Duration(random.IntN(600_000))*time.Millisecond)) {
				step := e
				step.Kind, step.Received, step.Alert = journal.KindAlert, said.At, &said
				if said.Answer != nil {
					step.Kind, step.By = journal.KindAnswer, said.Answer.By
				}
				if !yield(step) {
					return
				}
			}
		}
	}
}

// told is how often which rule speaks, and in which severities.
var told = []struct {
	rule       lift.Rule
	share      int // in a thousand
	kind       lift.WindowKind
	severities []lift.Severity
}{
	{analysis.VelocityLoss, 400, lift.WindowSet, []lift.Severity{lift.Advice, lift.Advice, lift.Warning}},
	{analysis.Grind, 100, lift.WindowSet, []lift.Severity{lift.Advice, lift.Warning}},
	{analysis.SetDrop, 100, lift.WindowSet, []lift.Severity{lift.Info, lift.Advice}},
	{analysis.DaySlowdown, 60, lift.WindowSession, []lift.Severity{lift.Info, lift.Advice, lift.Warning}},
	{analysis.SessionSpike, 60, lift.WindowSession, []lift.Severity{lift.Info, lift.Advice, lift.Warning}},
	{analysis.WarmUp, 60, lift.WindowSession, []lift.Severity{lift.Info}},
	{analysis.Tempo, 50, lift.WindowSet, []lift.Severity{lift.Info}},
	{analysis.WeeklyVolume, 50, lift.WindowWeek, []lift.Severity{lift.Info, lift.Advice, lift.Warning, lift.Critical}},
	{analysis.WeeklyLoad, 30, lift.WindowWeek, []lift.Severity{lift.Advice, lift.Warning}},
	{analysis.Technique, 30, lift.WindowSet, []lift.Severity{lift.Advice}},
	{analysis.PainZone, 30, lift.WindowCheckIn, []lift.Severity{lift.Advice, lift.Warning, lift.Critical}},
	{analysis.HeavyFrequency, 15, lift.WindowWeek, []lift.Severity{lift.Advice}},
	{analysis.Accessory, 10, lift.WindowWeek, []lift.Severity{lift.Info}},
	{analysis.Radicular, 3, lift.WindowCheckIn, []lift.Severity{lift.Critical}},
	{analysis.Hold, 1, lift.WindowEpisode, []lift.Severity{lift.Critical}},
	{analysis.RedFlag, 1, lift.WindowCheckIn, []lift.Severity{lift.Urgent}},
}

// alert is an alert's whole life: most are past, some were answered or taken back.
func (g *gym) alert(random *rand.Rand, athlete, n int, at time.Time) []lift.AlertChange {
	pick, i := random.IntN(1000), 0
	for pick >= told[i].share {
		pick -= told[i].share
		i++
	}
	t := told[i]
	window := lift.Window{Kind: t.kind, ID: fmt.Sprintf("w%d", n), From: at.Add(-time.Minute), To: at}
	finding := lift.Finding{
		ID:   lift.AlertID(t.rule, g.athlete(athlete), "deadlift", t.kind, window.ID),
		Site: g.site(athlete), Athlete: g.athlete(athlete), Rule: t.rule, Severity: t.severities[random.IntN(len(t.severities))],
		Title:    "Bar slowed 21 % in set 3",
		Message:  "Rep 5 at 120 kg moved at 0.41 m/s, 21 % slower than the fastest rep (0.52 m/s). Limit 20 %.",
		Advice:   "End the set. Rest longer before the next one, or take 5 % off the bar; look at how the hips and the back move together.",
		Exercise: "deadlift", Group: "deadlift_family", Window: window,
		Evidence: lift.Evidence{Value: 21.15, Unit: "pct", Threshold: 20, Reference: "fastest rep so far", ReferenceValue: new(0.52), Observed: new(0.41), Samples: 5, Confidence: "full"},
		Source:   analysis.Source(t.rule),
	}
	steps := []lift.AlertChange{{AlertID: finding.ID, Verb: lift.AlertFound, At: at, Finding: &finding}}
	then := lift.AlertChange{AlertID: finding.ID, Verb: lift.AlertExpire, At: at.Add(time.Hour)}
	after, expires := analysis.ExpiresAfter(t.kind)
	fate := random.IntN(100)
	switch {
	case fate < 5:
		then.Verb = lift.AlertRetract
	case fate < 20:
		then.Verb, then.Answer = lift.AlertResolve, &lift.Answer{By: "coach", At: then.At, Note: "talked to them"}
	case (!expires || g.end.Before(at.Add(after))) && fate < 40:
		then.Verb, then.Answer = lift.AlertAcknowledge, &lift.Answer{By: "coach", At: then.At}
	case (!expires || g.end.Before(at.Add(after))) && fate < 60:
		return steps
	}
	return append(steps, then)
}
