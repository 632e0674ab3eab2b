package analysis

import "github.com/spotterhq/spotter/internal/lift"

// DeadliftFamily is the group of all deadlifts: their volume counts together,
// and a set of them may slow down less than other lifts.
const DeadliftFamily = "deadlift_family"

// lookUp returns what the rules need of an exercise; one that the catalogue does
// not know is a group of its own. The id stays as it was sent.
func (d *diary) lookUp(id lift.ExerciseID) exerciseFacts {
	facts := exerciseFacts{id: id, group: string(id)}
	e, known := d.Exercises.Get(id)
	if known {
		facts.group, facts.posterior = e.Group, e.PosteriorChain
		if e.MinVelocity != nil {
			facts.minVelocity = *e.MinVelocity
		}
		if e.Slope != nil {
			facts.slope = *e.Slope
		}
	}
	own, ok := d.MinVelocity[id]
	if !ok && known {
		own, ok = d.MinVelocity[e.ID]
	}
	if ok {
		facts.minVelocity, facts.own = own, true
	}
	return facts
}
