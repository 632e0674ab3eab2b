package monitor_test

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// Promise 3: final alerts do not depend on the order or lateness of arrival.
func TestFinalAlertsDoNotDependOnArrival(t *testing.T) {
	events := season(1)
	athletes := athletesOf(events)
	end := events[len(events)-1].Received
	rng := rand.New(rand.NewPCG(1, 2))

	run := func(t *testing.T, arrivals ...[]journal.Event) map[lift.AthleteID][]final {
		l := newLine(t)
		l.start(1)
		for _, a := range arrivals {
			l.put(t, a...)
			l.settle(t)
		}
		l.put(t, tickAt(end.AddDate(0, 0, 40))) // later than the latest arrival
		l.settle(t)
		got := map[lift.AthleteID][]final{}
		for _, a := range athletes {
			got[a] = l.check(t, a)
		}
		return got
	}
	clean := run(t, minutes(events))
	rules := map[lift.Rule]int{}
	for _, list := range clean {
		for _, f := range list {
			rules[f.Rule]++
		}
	}
	for _, rule := range []lift.Rule{"velocity-loss", "weekly-volume", "pain-zone", "red-flag"} {
		if rules[rule] == 0 {
			t.Fatalf("the season has no alert of %s: %v", rule, rules)
		}
	}
	same := func(t *testing.T, want map[lift.AthleteID][]final, arrivals ...[]journal.Event) {
		t.Helper()
		if d := cmp.Diff(want, run(t, arrivals...)); d != "" {
			t.Fatalf("- clean, + as it arrived:\n%s", d)
		}
	}

	t.Run("sent twice", func(t *testing.T) { same(t, clean, minutes(events), events) })
	t.Run("shuffled within ten minutes", func(t *testing.T) { same(t, clean, minutes(within(events, 10*time.Minute, rng))) })
	t.Run("late by up to three weeks", func(t *testing.T) { same(t, clean, minutes(within(events, 21*24*time.Hour, rng))) })
	t.Run("the last first", func(t *testing.T) { same(t, clean, backwards(events)) })

	// 5 % of the reps are corrected by their device, or marked invalid by a coach.
	var corrections, corrected []journal.Event
	for _, e := range events {
		later := end.Add(time.Duration(len(corrections)) * time.Second)
		switch n := rng.IntN(40); {
		case e.Kind != journal.KindRep || n > 1:
			corrected = append(corrected, e)
		case n == 0:
			c := revised(e, later, func(r *lift.Rep) { r.MeanVelocity, r.LoadKg = 0.8*r.MeanVelocity, new(*r.LoadKg+10) })
			corrections = append(corrections, c)
			c.Received = e.Received
			corrected = append(corrected, c)
		default: // it is as if it had not been
			corrections = append(corrections, edit(e, later, invalid))
		}
	}
	want := run(t, minutes(corrected))
	if cmp.Equal(want, clean) {
		t.Fatal("the corrections change nothing")
	}
	t.Run("corrected afterwards", func(t *testing.T) { same(t, want, minutes(events), corrections) })
	t.Run("corrected before", func(t *testing.T) {
		var early, late []journal.Event
		for _, c := range corrections {
			if c.Kind == journal.KindRep {
				early = append(early, c) // a higher revision before the first
			} else {
				late = append(late, c)
			}
		}
		same(t, want, early, minutes(events), late)
	})

	// Sensors that do not know who lifts; the tablet's word of it comes last, set
	// by set and in no order.
	var bare, named []journal.Event
	told := map[lift.DeviceID]lift.Assignment{}
	for _, e := range events {
		if e.Kind == journal.KindRep {
			r := *e.Rep
			a := lift.Assignment{
				Athlete: r.Athlete, Exercise: r.Exercise, LoadKg: r.LoadKg, Set: r.Set, Warmup: r.Warmup,
				Since: r.Time.Add(-time.Millisecond), SinceGiven: true,
			}
			if known := told[e.Device]; !known.Same(&a) {
				told[e.Device] = a
				named = append(named, journal.Event{Kind: journal.KindAssign, Received: end, Site: e.Site, Device: e.Device, Athlete: r.Athlete, Assign: &a})
			}
			r.Athlete, r.Exercise, r.LoadKg, r.Set, r.Warmup = "", "", nil, nil, false
			e.Rep, e.Athlete, e.Hash = &r, "", ""
		}
		bare = append(bare, e)
	}
	rng.Shuffle(len(named), func(i, j int) { named[i], named[j] = named[j], named[i] })
	t.Run("assigned afterwards", func(t *testing.T) { same(t, clean, minutes(bare), named) })
	t.Run("assigned before", func(t *testing.T) { same(t, clean, named, minutes(bare)) })
}

// The same for any athlete: random training, arriving in random order, repeated,
// corrected, moved to others and back, with restarts in between.
func TestFinalAlertsDoNotDependOnArrivalForAnybody(t *testing.T) {
	// Each case has a real log under it: fewer than rapid's default will do.
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set("40"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = checks.Value.Set(checks.DefValue) })
	}
	l := newLine(t)
	l.start(1)
	athletes := 0
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
		late := rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Minute, 48 * time.Hour, 21 * 24 * time.Hour}).Draw(t, "late")
		restarts := rapid.IntRange(0, 2).Draw(t, "restarts")
		// Everybody trains after those before, so that the clock is right for them too.
		athletes++
		id := lift.AthleteID("lifter-" + time.Unix(int64(athletes), 0).UTC().Format("150405"))
		start := begin.AddDate(0, 0, 7*14*athletes)
		arrivals := minutes(within(life(rng, id, start, 9), late, rng))
		for i := range restarts + 1 {
			n := len(arrivals) / (restarts + 1 - i)
			l.put(t, arrivals[:n]...)
			arrivals = arrivals[n:]
			if rng.IntN(2) == 0 {
				l.settle(t)
			}
			if i < restarts {
				l.restart(rng.IntN(2) == 0)
			}
		}
		l.settle(t)
		l.put(t, tickAt(l.clock.Now().Add(time.Hour)))
		l.settle(t)
		found += len(l.check(t, id))
		l.check(t, id+"-twin")
	})
	if found == 0 {
		t.Error("nobody was ever found anything of")
	}
}

// notes is a set of a training log about the given time, or a rep that was read from a
// file, with what a later import makes of it.
func notes(rng *rand.Rand, athlete lift.AthleteID, at time.Time, row int) []journal.Event {
	at = at.Add(time.Duration(rng.IntN(72)-36) * time.Hour)
	if rng.IntN(4) == 0 {
		rep := repEvent(athlete, at, int64(row), func(r *lift.Rep) { r.BootID, r.Source, r.Historical = "file", lift.SourceImported, true })
		if rng.IntN(3) > 0 {
			return []journal.Event{rep}
		}
		return []journal.Event{rep, revised(rep, at, func(r *lift.Rep) { r.Time = r.Time.AddDate(0, 0, -7) })}
	}
	set := setEvent(athlete, row, at, 1+rng.IntN(10), 100+20*float64(rng.IntN(3)))
	events := []journal.Event{set}
	for rng.IntN(4) == 0 {
		set = again(set, func(s *lift.LoggedSet) {
			s.Removed = rng.IntN(2) == 0
			if rng.IntN(2) == 0 {
				s.Time = s.Time.AddDate(0, 0, rng.IntN(20)-15)
			}
		})
		events = append(events, set)
	}
	return events
}

// life is random training of the athlete in the weeks from start on, with its
// corrections; some reps belong to a twin in between.
func life(rng *rand.Rand, athlete lift.AthleteID, start time.Time, weeks int) []journal.Event {
	var events []journal.Event
	seq := int64(0)
	for week := range weeks {
		for day := range 2 {
			at := start.AddDate(0, 0, 7*week+3*day).Add(17 * time.Hour)
			for set := range 1 + rng.IntN(4) {
				v := 0.45 + 0.1*rng.Float64()
				for range 3 + rng.IntN(3) {
					at = at.Add(4 * time.Second)
					seq++
					load, number := 100+20*float64(rng.IntN(3)/2), set
					e := repEvent(athlete, at, seq, func(r *lift.Rep) {
						r.LoadKg, r.Set, r.MeanVelocity = &load, &number, v*(0.72+0.3*rng.Float64())
						if rng.IntN(10) == 0 {
							r.Set = nil
						}
					})
					events = append(events, e)
					switch rng.IntN(30) {
					case 0:
						events = append(events, revised(e, at, func(r *lift.Rep) { r.MeanVelocity *= 0.7 }))
					case 1:
						events = append(events, revised(e, at, func(r *lift.Rep) {
							r.Time = r.Time.Add(time.Duration(rng.IntN(30*24)-20*24) * time.Hour)
						}))
					case 2:
						events = append(events, revised(e, at, func(r *lift.Rep) { r.Athlete += "-twin" }))
					}
				}
				at = at.Add(3 * time.Minute)
			}
			for range rng.IntN(3) {
				events = append(events, notes(rng, athlete, at, len(events))...)
			}
			events = append(events, report(athlete, at, lift.PhaseAfter, rng.IntN(8)))
			if rng.IntN(10) == 0 {
				events = append(events, report(athlete, at.Add(time.Minute), lift.PhaseDaily, 1, lift.NightPain))
			}
		}
	}
	// A coach corrects what is in the log already, so these come at the end.
	end := events[len(events)-1].Received.AddDate(0, 0, 22)
	for _, e := range slices.Clone(events) {
		if e.Kind != journal.KindRep || rng.IntN(25) > 0 {
			continue
		}
		end = end.Add(time.Minute)
		change := invalid
		if rng.IntN(3) == 0 {
			change = func(c *lift.RepEdit) { c.Athlete = new(athlete + "-twin") }
		}
		events = append(events, edit(e, end, change))
		if rng.IntN(3) == 0 {
			events = append(events, edit(e, end.Add(time.Second), func(c *lift.RepEdit) { c.Valid, c.Athlete = new(true), &athlete }))
		}
	}
	return events
}
