package analysis

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Judge returns what the rules find in the whole history at now, ordered by the
// beginning of the window, then id. now is the time of the newest event: it
// finishes the last set, nothing more.
func Judge(h History, s Settings, now time.Time) []lift.Finding {
	d := newDiary(h.Athlete, h.Site, s)
	d.load(h.Reps)
	reports := make([]report, 0, len(h.CheckIns))
	for i := range h.CheckIns {
		reports = append(reports, d.convertCheckIn(&h.CheckIns[i]))
	}
	slices.SortFunc(reports, compareReports)
	found := append(d.training(math.MinInt32, math.MinInt64, nanos(now)), d.health(reports, math.MinInt32)...)
	sortFindings(found)
	return found
}

// training is the findings of the reps: in sets that begin at the given time or
// later and in weeks from the given Monday on.
func (d *diary) training(week date, set, now int64) []lift.Finding {
	var found []lift.Finding
	for k := range d.sets {
		s := &d.sets[k]
		if s.started < set {
			continue
		}
		band := s.slow.band(&d.bands[s.lift], d.finished(s, now))
		s.fired = band >= 0
		if s.fired {
			found = append(found, d.velocityLoss(int32(k), band))
		}
	}
	for _, g := range d.groupWeeks(week) {
		w, b := d.week(g.group, g.monday), d.baseline(g.group, g.monday)
		if over, ok := b.judge(&w, &d.Limits.WeeklyVolume); ok {
			found = append(found, d.weeklyVolume(&b, &w, over))
		}
	}
	return found
}

func sortFindings(found []lift.Finding) {
	slices.SortFunc(found, func(a, b lift.Finding) int {
		return cmp.Or(a.Window.From.Compare(b.Window.From), strings.Compare(a.ID, b.ID))
	})
}
