package lift

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestWhatAFoundRepSaysBeyondADevicesIsPlausible(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		field  string
		change func(*Rep)
		why    string
	}{
		{"", func(r *Rep) {
			r.TimeToPeak, r.StickingFrom, r.StickingTo, r.Convention = new(0.4), new(0.3), new(0.6), "c-1"
		}, "all of it"},
		{"", func(r *Rep) { r.StickingFrom, r.StickingTo = new(0.5), new(0.5) }, "a point, not a region"},
		{"time_to_peak_s", func(r *Rep) { r.TimeToPeak = new(-0.1) }, "before the rep"},
		{"time_to_peak_s", func(r *Rep) { r.TimeToPeak = new(15.1) }, "after the longest rep"},
		{"sticking_to_s", func(r *Rep) { r.StickingFrom = new(0.3) }, "an end is missing"},
		{"sticking_to_s", func(r *Rep) { r.StickingTo = new(0.3) }, "a begin is missing"},
		{"sticking_to_s", func(r *Rep) { r.StickingFrom, r.StickingTo = new(0.6), new(0.5) }, "it ends before it begins"},
		{"sticking_from_s", func(r *Rep) { r.StickingFrom, r.StickingTo = new(-0.6), new(0.5) }, "before the rep"},
		{"convention", func(r *Rep) { r.Convention = strings.Repeat("c", 65) }, "too long"},
	} {
		r := Rep{BootID: "b7", Seq: 1, Time: now, MeanVelocity: 0.5}
		c.change(&r)
		err := r.Validate(now)
		wrong, ok := errors.AsType[*FieldError](err)
		if ok && wrong.Field != c.field || ok == (c.field == "") {
			t.Errorf("%s: %v, not %q", c.why, err, c.field)
		}
	}
}
