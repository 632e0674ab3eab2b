package profile

import (
	"math"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Point is the fastest rep of one session at one load.
type Point struct {
	LoadKg   float64       `json:"load_kg"`
	Velocity float64       `json:"velocity_mps"` // mean of the concentric phase
	At       time.Time     `json:"at"`
	Device   lift.DeviceID `json:"device,omitzero"`
}

// Line is a load–velocity line, v = A + B · load, fitted by ordinary least squares.
type Line struct {
	A      float64 `json:"a_mps"`        // velocity at no load
	B      float64 `json:"b_mps_per_kg"` // below 0 where heavier loads are slower
	R      float64 `json:"r"`            // correlation of load and velocity; 0 where all velocities are the same
	R2     float64 `json:"r2"`
	SEE    float64 `json:"see_mps,omitzero" doc:"standard error of the estimate; absent with two points, which any line meets"`
	N      int     `json:"n"`     // points
	Loads  int     `json:"loads"` // different loads
	SpanKg float64 `json:"span_kg" doc:"from the lightest to the heaviest load"`

	meanKg, squares float64 // mean load, and the sum of squared distances from it
}

// Fit returns the line through the points, and false where there is none: fewer
// than two different loads, or a number that is not finite. It does not allocate.
func Fit(points []Point) (Line, bool) {
	if len(points) < 2 {
		return Line{}, false
	}
	n := float64(len(points))
	var load, velocity float64
	least, most := math.Inf(1), math.Inf(-1)
	for i := range points {
		load += points[i].LoadKg
		velocity += points[i].Velocity
		least, most = min(least, points[i].LoadKg), max(most, points[i].LoadKg)
	}
	load, velocity = load/n, velocity/n
	var xx, xy, yy float64
	for i := range points {
		x, y := points[i].LoadKg-load, points[i].Velocity-velocity
		xx += x * x
		xy += x * y
		yy += y * y
	}
	if !(xx > 0) || math.IsInf(xx, 0) || math.IsNaN(yy) || math.IsInf(yy, 0) {
		return Line{}, false
	}
	l := Line{B: xy / xx, N: len(points), Loads: differentLoads(points), SpanKg: most - least, meanKg: load, squares: xx}
	l.A = velocity - l.B*load
	if yy > 0 {
		l.R = max(-1, min(1, xy/(math.Sqrt(xx)*math.Sqrt(yy))))
		l.R2 = l.R * l.R
	}
	if l.N > 2 {
		var rest float64
		for i := range points {
			off := points[i].Velocity - velocity - l.B*(points[i].LoadKg-load)
			rest += off * off
		}
		l.SEE = math.Sqrt(rest / (n - 2))
	}
	return l, true
}

// TwoPoint returns the line through two points, and false where their loads are
// the same. Published support is for loads of about 45 % and 85 % of the maximum,
// in bench press, bench pull, lat pull-down and seated row only.
func TwoPoint(a, b Point) (Line, bool) {
	points := [2]Point{a, b}
	return Fit(points[:])
}

func differentLoads(points []Point) int {
	n := 0
	for i := range points {
		j := 0
		for points[j].LoadKg != points[i].LoadKg {
			j++
		}
		if j == i {
			n++
		}
	}
	return n
}

// At is the velocity that the line expects at a load.
func (l Line) At(loadKg float64) float64 { return l.A + l.B*loadKg }

// ErrorAt is the standard error in m/s of one new velocity at a load: the scatter
// around the line, and what the line itself is unsure of there. It is unknown,
// false, with two points.
func (l Line) ErrorAt(loadKg float64) (float64, bool) {
	if l.N < 3 {
		return 0, false
	}
	x := loadKg - l.meanKg
	return l.SEE * math.Sqrt(1+1/float64(l.N)+x*x/l.squares), true
}

// OneRM is the load in kilograms at which the line reaches the minimum velocity
// threshold, and false where no load above 0 does.
func (l Line) OneRM(minVelocity float64) (float64, bool) {
	kg := (minVelocity - l.A) / l.B
	return kg, l.B < 0 && kg > 0
}

// OneRMError is the standard error in kilograms of OneRM, as far as the points'
// scatter tells it. It knows nothing of a threshold that is not the athlete's.
func (l Line) OneRMError(minVelocity float64) (float64, bool) {
	kg, ok := l.OneRM(minVelocity)
	if !ok {
		return 0, false
	}
	e, ok := l.ErrorAt(kg)
	return e / -l.B, ok
}

// Gates is what a line must be like before anything is judged by it.
type Gates struct {
	MinLoads     int     // different loads
	MinSpanShare float64 // of the estimated maximum, from the lightest to the heaviest load
	MinR2        float64
}

// DefaultGates returns the gates that hold until a coach changes them: three
// loads, 30 % of the maximum apart, r² of 0.90.
func DefaultGates() Gates { return Gates{MinLoads: 3, MinSpanShare: 0.30, MinR2: 0.90} }

// Why a line is not one to judge by.
const (
	FewLoads   = "too few different loads"
	NotSlower  = "heavier loads were not slower"
	NoMaximum  = "the line is slower than the velocity at the maximum at every load"
	NarrowSpan = "the loads lie too close together"
	LooseFit   = "the points lie too far from a line"
)

// rounding is how much a gate gives for decimal values that binary ones only
// come near to.
const rounding = 1e-9

// WhyNot says why the line is not one to judge by, "" where it is. Without a
// known minimum velocity (0) the span is compared with the load at which the bar
// would stand still, which asks for more. It does not allocate.
func (g Gates) WhyNot(l Line, minVelocity float64) string {
	if l.Loads < g.MinLoads {
		return FewLoads
	}
	if l.B >= 0 {
		return NotSlower
	}
	kg, ok := l.OneRM(minVelocity)
	switch {
	case !ok:
		return NoMaximum
	case l.SpanKg < g.MinSpanShare*kg*(1-rounding):
		return NarrowSpan
	case l.R2 < g.MinR2-rounding:
		return LooseFit
	}
	return ""
}
