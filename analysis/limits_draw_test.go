package analysis

import (
	"math/rand/v2"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
)

// drawLimits changes some of the defaults to anything that a coach may set. Half
// of the values are near the default, where rules speak often; the others are
// anywhere in their range, the ends among them.
func drawLimits(rng *rand.Rand) Limits {
	limits := DefaultLimits()
	for _, spec := range LimitSpecs() {
		if rng.IntN(4) > 0 {
			continue
		}
		one := func(usual float64) float64 {
			v := spec.Least + rng.Float64()*(spec.Most-spec.Least)
			switch rng.IntN(8) {
			case 0:
				v = spec.Least
			case 1:
				v = spec.Most
			case 2, 3, 4, 5:
				v = min(max(usual*(0.5+rng.Float64()), spec.Least), spec.Most)
			}
			if spec.Whole {
				v = float64(int(v))
			}
			return v
		}
		var value any
		switch usual := limits.Of(spec.Rule)[spec.Name].(type) {
		case float64:
			value = one(usual)
		case int:
			value = one(float64(usual))
		case [3]float64:
			value = []float64{one(usual[0]), one(usual[1]), one(usual[2])}
		case [3]int:
			value = []float64{one(float64(usual[0])), one(float64(usual[1])), one(float64(usual[2]))}
		default:
			panic("a limit of an unknown type: " + spec.Name)
		}
		patch, err := json.Marshal(map[lift.Rule]map[string]any{spec.Rule: {spec.Name: value}})
		if err != nil {
			panic(err)
		}
		if next, err := MergeLimits(limits, patch); err == nil { // else it contradicts another
			limits = next
		}
	}
	return limits
}
