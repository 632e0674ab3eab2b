package analysis

import (
	"slices"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// ExpiresAfter returns how long after the end of its window an alert expires, and
// false for windows that nothing expires of: an alert of a set or session after a
// day, one of a week when the following week closes, one of a longer stretch a week
// after it.
func ExpiresAfter(kind lift.WindowKind) (time.Duration, bool) {
	switch kind {
	case lift.WindowSet, lift.WindowSession:
		return 24 * time.Hour, true
	case lift.WindowWeek, lift.WindowEpisode:
		return 7 * 24 * time.Hour, true
	}
	return 0, false
}

// NeverExpire returns the rules whose alerts wait for an answer for ever.
func NeverExpire() []lift.Rule { return []lift.Rule{RedFlag, Radicular, Hold} }

// Past reports whether the finding speaks of a time so long past that its alert expires
// at once, when it is told at the given time.
func Past(f *lift.Finding, at time.Time) bool {
	after, expires := ExpiresAfter(f.Window.Kind)
	return expires && !slices.Contains(NeverExpire(), f.Rule) && at.After(f.Window.To.Add(after))
}
