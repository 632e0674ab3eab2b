package sim

import (
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// checkIn is what the lifter reports at that time, without any cause for concern.
func (l *Lifter) checkIn(phase lift.Phase, at time.Time) lift.CheckIn {
	r := l.random("checkin", phase, at.Unix())
	c := lift.CheckIn{Time: at, Phase: phase}
	pain := 0
	if r.Float64() < 0.2 {
		pain = 1
	}
	switch phase {
	case lift.PhaseDaily:
		sleep := round(l.SleepMean+0.4*bounded(r), 1)
		nutrition, stress := 3+r.IntN(3), 1+r.IntN(3)
		c.SleepH, c.Nutrition, c.Stress = &sleep, &nutrition, &stress
	case lift.PhaseAfter:
		soreness := 1 + r.IntN(3)
		c.Pain, c.Soreness = &pain, &soreness
	default:
		c.Pain = &pain
	}
	return c
}

// hurting turns a report into one of so much pain in the lower back.
func hurting(c lift.CheckIn, pain int) lift.CheckIn {
	c.Pain, c.Region = &pain, "lower_back"
	return c
}

// alarming turns a report into one with a red flag.
func alarming(c lift.CheckIn) lift.CheckIn {
	c.Symptoms = []lift.Symptom{lift.SaddleNumbness}
	return c
}
