package analysis

import "slices"

// A ghost is a movement that a sensor took for a rep: the bar set down, rolled
// or lifted off the rack. Where devices tell the range of motion, a rep much
// shorter than the athlete's others of that exercise and date is none; it stays
// in the history and counts for nothing. What is called failed is not a ghost.
const (
	ghostShare   = 0.60 // of the median range of motion
	ghostOthers  = 5    // reps needed to know it
	romTolerance = 1e-6 // metres
)

// romDay is the ranges of motion of one exercise on one date, in order.
type romDay struct {
	day    date
	lift   int32
	values []float32
	ghosts int
}

// limit is the range below which a rep is a ghost; 0 while it is not known.
func (r *romDay) limit() float32 {
	n := len(r.values)
	if n < ghostOthers {
		return 0
	}
	return ghostShare*(r.values[(n-1)/2]+r.values[n/2])/2 - romTolerance
}

func (d *diary) romsOf(r *rep) *romDay {
	d.today(r.at)
	for i := len(d.roms) - 1; i >= 0; i-- {
		if x := &d.roms[i]; x.day == d.day && x.lift == r.lift {
			return x
		}
	}
	d.roms = append(d.roms, romDay{day: d.day, lift: r.lift})
	return &d.roms[len(d.roms)-1]
}

func (r *rep) hasROM() bool { return r.valid && !r.failed && r.rom != absent }

// findGhosts tells of all held reps whether they are ghosts.
func (d *diary) findGhosts() {
	d.roms, d.flip = d.roms[:0], false
	for i := range d.reps {
		if r := &d.reps[i]; r.hasROM() {
			x := d.romsOf(r)
			x.values = append(x.values, r.rom)
		}
	}
	for i := range d.roms {
		slices.Sort(d.roms[i].values)
	}
	for i := range d.reps {
		r := &d.reps[i]
		if r.ghost = false; r.hasROM() {
			x := d.romsOf(r)
			if r.ghost = r.rom < x.limit(); r.ghost {
				x.ghosts++
			}
		}
	}
}

// seeGhost tells of the latest rep whether it is a ghost, and notes where what it
// says of the day makes another one a ghost or a rep.
func (d *diary) seeGhost(r *rep) {
	r.ghost = false
	if !r.hasROM() {
		return
	}
	x := d.romsOf(r)
	i, _ := slices.BinarySearch(x.values, r.rom)
	x.values = slices.Insert(x.values, i, r.rom)
	limit := x.limit()
	if r.ghost = r.rom < limit; r.ghost {
		x.ghosts++
	}
	below, _ := slices.BinarySearch(x.values, limit)
	d.flip = d.flip || below != x.ghosts
}
