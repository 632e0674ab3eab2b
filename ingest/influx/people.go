package influx

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spotterhq/spotter/internal/lift"
)

// Plan is what holds for an athlete's deadlifts at a time.
type Plan struct {
	Held  bool // heavy ones are on hold
	Phase int  // of the return plan, from 1; 0 without one
}

// people returns the lines of the plans and memberships that may have changed. The
// teams in which an athlete was are deleted first: what is written is the whole of
// what there is now.
func (f *Follower) people(ctx context.Context, pending *changes) ([]line, error) {
	var lines []line
	for _, athlete := range slices.Sorted(maps.Keys(pending.plans)) {
		site, err := f.View.SiteOf(ctx, athlete)
		if err != nil {
			return nil, err
		}
		if site == "" {
			continue // erased since
		}
		at := pending.plans[athlete]
		now, err := f.Plan(ctx, athlete, at)
		if err != nil {
			return nil, fmt.Errorf("read plan: %w", err)
		}
		id := identity{measurement: "plan", athlete: athlete, site: site, ms: millis(at)}
		lines = append(lines, planLine(&id, now))
	}
	for _, athlete := range slices.Sorted(maps.Keys(pending.members)) {
		_, err := f.delete(ctx, f.Bucket, deletion{measurement: "member", athlete: athlete})
		if refused, ok := errors.AsType[*problem](err); ok {
			f.Logger.Warn("influx does not let former teams be deleted", "status", refused.status)
		} else if err != nil && !errors.Is(err, ErrNoErase) {
			return nil, err
		}
		if r, known := f.View.Record(lift.OfAthlete, string(athlete)); known && r.Athlete != nil {
			lines = append(lines, memberLines(&r)...)
		}
	}
	return lines, nil
}

func planLine(id *identity, p Plan) line {
	var f fields
	f.yes("held", p.Held)
	f.number("phase", float64(p.Phase))
	return id.line(&f)
}

// memberLines are one for each team of the athlete, or one without a team. They hold
// no name.
func memberLines(r *lift.Record) []line {
	var f fields
	f.yes("valid", true)
	teams := r.Athlete.Teams
	if len(teams) == 0 {
		teams = []lift.TeamID{""}
	}
	var lines []line
	for _, team := range teams {
		id := identity{measurement: "member", athlete: lift.AthleteID(r.ID), kind: string(team), site: r.Athlete.Site, ms: millis(r.At)}
		lines = append(lines, id.line(&f))
	}
	return lines
}
