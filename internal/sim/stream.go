package sim

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// Load describes a stream of reps for measuring and for killing things under it.
// It is made to be cheap rather than to resemble a week of training.
type Load struct {
	Seed     uint64
	Site     lift.SiteID
	Devices  int // message i comes from device i modulo Devices
	Athletes int // at least as many as Devices; each stays on one device
	Count    int // messages, one rep each
	Start    time.Time
	// Gap is the event time between two reps of a set, Rest between two sets of
	// one device; zero means 3 s and 2 min. Event time does not depend on how fast
	// the messages are published: see End.
	Gap, Rest time.Duration
}

// repsPerSet is how many reps every set of a stream has.
const repsPerSet = 5

// blockSets is how many sets an athlete does before exercise and load change and
// set numbers begin anew.
const blockSets = 20

// slowEvery is which share of a stream's sets slows down: one in so many.
const slowEvery = 10

var streamExercises = []lift.ExerciseID{Deadlift, Squat, Bench}

func (l Load) withDefaults() Load {
	if l.Gap == 0 {
		l.Gap = 3 * time.Second
	}
	if l.Rest == 0 {
		l.Rest = 2 * time.Minute
	}
	return l
}

// Validate returns every setting that cannot be used.
func (l Load) Validate() error {
	var errs []error
	if l.Devices < 1 {
		errs = append(errs, fmt.Errorf("devices: %d is below 1", l.Devices))
	}
	if l.Athletes < l.Devices {
		errs = append(errs, fmt.Errorf("athletes: %d is below the number of devices", l.Athletes))
	}
	if l.Count < 0 {
		errs = append(errs, fmt.Errorf("count: %d is below 0", l.Count))
	}
	if l.Gap < 0 || l.Rest < 0 {
		errs = append(errs, errors.New("gap, rest: below 0"))
	}
	if err := lift.CheckID("site", l.Site); err != nil {
		errs = append(errs, err)
	}
	if l.Start.Before(lift.Earliest) {
		errs = append(errs, errors.New("start: is before 2000"))
	}
	return errors.Join(errs...)
}

// Device returns the id of the stream's i-th device.
func (l Load) Device(i int) lift.DeviceID { return lift.DeviceID(fmt.Sprintf("bar-%04d", i+1)) }

// at is the event time of the rep-th rep (from 0) of a device.
func (l Load) at(device, rep int) time.Time {
	set, n := rep/repsPerSet, rep%repsPerSet
	offset := time.Duration(set)*(repsPerSet*l.Gap+l.Rest) + time.Duration(n)*l.Gap
	// Devices are a little apart, so that event time hardly ever runs backwards.
	return l.Start.Add(offset + l.Gap*time.Duration(device)/time.Duration(l.Devices))
}

// End returns an instant after the event time of the last rep. A receiver refuses
// reps from the future: choose Start so that End is not after the present, for
// example by Start = now − (End of the same load started at now − now).
func (l Load) End() time.Time {
	l = l.withDefaults()
	return l.at(l.Devices-1, max(0, l.Count-1)/l.Devices).Add(time.Millisecond)
}

// Slowing returns how many complete sets of the stream slow down by more than
// 20 % in their last two reps, each a cause for one velocity-loss alert: a warning
// for a deadlift, advice for the others.
func (l Load) Slowing() int {
	n := 0
	for device := range l.Devices {
		reps := (l.Count - device + l.Devices - 1) / l.Devices
		for set := range reps / repsPerSet {
			if l.slows(device, set) {
				n++
			}
		}
	}
	return n
}

// Told returns how many of the slowing sets have an alert where, of one athlete and
// date in UTC, only the first three are told that are not worse than three before.
func (l Load) Told() int {
	l = l.withDefaults()
	type session struct {
		device, lifter int
		day            string
	}
	warnings, all := map[session]int{}, map[session]int{}
	told := 0
	for device := range l.Devices {
		lifters := (l.Athletes - device + l.Devices - 1) / l.Devices
		reps := (l.Count - device + l.Devices - 1) / l.Devices
		for set := range reps / repsPerSet {
			if !l.slows(device, set) {
				continue
			}
			s := session{device, set % lifters, l.at(device, set*repsPerSet).UTC().Format(time.DateOnly)}
			warning := exerciseOf(set/lifters) == Deadlift
			if warning && warnings[s] < 3 || !warning && all[s] < 3 {
				told++
				all[s]++
				if warning {
					warnings[s]++
				}
			}
		}
	}
	return told
}

// exerciseOf is the exercise of a lifter's own-th set (from 0).
func exerciseOf(own int) lift.ExerciseID {
	return streamExercises[own/blockSets%len(streamExercises)]
}

func (l Load) slows(device, set int) bool {
	return rand.NewPCG(l.Seed, uint64(device)<<32|uint64(set)).Uint64()%slowEvery == 0
}

// keeps is the share of the first rep's velocity that each rep of a steady set keeps.
var keeps = []float64{1, 0.99, 0.98, 0.97, 0.96}

// bar is one device's state in a stream.
type bar struct {
	topic string
	ids   []lift.AthleteID // of those who share it, set by set
	slows bool
	pace  float64
}

// Stream returns the load's messages, all of them valid reps with athlete,
// exercise, load and set given, unique in (device, boot, seq). Every set has five
// reps; see Slowing for those that slow down. Iterating again yields the same bytes.
func Stream(l Load) (iter.Seq[Message], error) {
	if err := l.Validate(); err != nil {
		return nil, fmt.Errorf("stream: %w", err)
	}
	l = l.withDefaults()
	l.Start = stamp(l.Start)
	return func(yield func(Message) bool) {
		r := rand.New(rand.NewPCG(l.Seed, 1))
		bars := make([]bar, l.Devices)
		for i := range bars {
			bars[i].topic = deviceTopic(l.Site, l.Device(i), "rep")
		}
		for i := range l.Athletes {
			b := &bars[i%l.Devices]
			b.ids = append(b.ids, LifterID(i))
		}
		boot := "s" + strconv.FormatUint(l.Seed, 36) + "-" + strconv.FormatInt(l.Start.Unix(), 36)
		var slab []byte
		for i := range l.Count {
			// Payloads are cut from slabs: one allocation for about 250 of them.
			if cap(slab)-len(slab) < 512 {
				slab = make([]byte, 0, 64<<10)
			}
			device, rep := i%l.Devices, i/l.Devices
			b, at := &bars[device], l.at(device, rep)
			if rep%repsPerSet == 0 {
				b.slows = l.slows(device, rep/repsPerSet)
				b.pace = 0.97 + 0.06*r.Float64()
			}
			begin := len(slab)
			slab = b.appendRep(slab, boot, rep, at, 1+0.008*(2*r.Float64()-1))
			m := Message{Topic: b.topic, Payload: slab[begin:len(slab):len(slab)], QoS: 1, At: at}
			if !yield(m) {
				return
			}
		}
	}, nil
}

// appendRep appends the JSON of the bar's rep-th rep (from 0). It writes what
// marshalling a lift.Rep would, several times as fast.
func (b *bar) appendRep(dst []byte, boot string, rep int, at time.Time, noise float64) []byte {
	set, n := rep/repsPerSet, rep%repsPerSet
	own := set / len(b.ids) // how many sets this athlete did before
	block := own / blockSets
	exercise := exerciseOf(own)
	kept := keeps[n]
	if b.slows {
		kept = fading[n]
	}
	m := motionOf(exercise)
	mean := round(VelocityAt(exercise, 0.77)*b.pace*kept*noise, 3)
	dst = append(dst, `{"boot_id":"`...)
	dst = append(dst, boot...)
	dst = append(dst, `","seq":`...)
	dst = strconv.AppendInt(dst, int64(rep), 10)
	dst = append(dst, `,"time":"`...)
	dst = at.AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, `","athlete":"`...)
	dst = append(dst, b.ids[set%len(b.ids)]...)
	dst = append(dst, `","exercise":"`...)
	dst = append(dst, exercise...)
	dst = append(dst, `","load_kg":`...)
	dst = strconv.AppendFloat(dst, 100+2.5*float64(block%4), 'g', -1, 64)
	dst = append(dst, `,"set":`...)
	dst = strconv.AppendInt(dst, int64(own%blockSets+1), 10)
	dst = append(dst, `,"rep":`...)
	dst = strconv.AppendInt(dst, int64(n+1), 10)
	dst = append(dst, `,"mean_velocity_mps":`...)
	dst = strconv.AppendFloat(dst, mean, 'f', 3, 64)
	dst = append(dst, `,"peak_velocity_mps":`...)
	dst = strconv.AppendFloat(dst, 1.6*mean, 'f', 3, 64)
	dst = append(dst, `,"mean_propulsive_velocity_mps":`...)
	dst = strconv.AppendFloat(dst, 1.01*mean, 'f', 3, 64)
	dst = append(dst, `,"rom_m":`...)
	dst = strconv.AppendFloat(dst, m.rom, 'f', 3, 64)
	dst = append(dst, `,"concentric_s":`...)
	dst = strconv.AppendFloat(dst, m.rom/mean, 'f', 3, 64)
	dst = append(dst, `,"eccentric_s":`...)
	dst = strconv.AppendFloat(dst, m.eccentric, 'f', 3, 64)
	return append(dst, '}')
}
