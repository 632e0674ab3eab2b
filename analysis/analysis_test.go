package analysis

import (
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// The golden vector: the loss of a set against its fastest rep.
func TestSetsTellTheLossAgainstTheFastestRep(t *testing.T) {
	start := time.Date(2026, 11, 16, 17, 0, 0, 0, time.UTC)
	load := 120.0
	var reps []lift.RepRecord
	for i, v := range []float64{.66, .70, .68, .65, .62, .59, .55, .53} {
		reps = append(reps, lift.RepRecord{
			ID: lift.RepID("main", "bar-1", "b1", int64(i)), Site: "main", Device: "bar-1", Valid: true,
			Rep: lift.Rep{
				BootID: "b1", Seq: int64(i), Time: start.Add(time.Duration(i) * 4 * time.Second),
				Athlete: "ana", Exercise: "squat", LoadKg: &load, MeanVelocity: v,
			},
		})
	}
	sets := Sets(reps, nil)
	if len(sets) != 1 {
		t.Fatalf("%d sets, want 1", len(sets))
	}
	if got := *sets[0].VelocityLossPct; got < 24.2856 || got > 24.2858 {
		t.Errorf("loss %v %%, want 24.286", got)
	}
	if err := lift.CheckID("set", sets[0].ID); err != nil {
		t.Error(err)
	}
}
