package analysis

import (
	"strings"

	"github.com/spotterhq/spotter/internal/lift"
)

// DeadliftFamily is the group of all deadlifts: their volume counts together,
// and a set of them may slow down less than other lifts.
const DeadliftFamily = "deadlift_family"

// exercise is what the catalogue knows of an exercise. Ids are written with
// underscores; hyphens mean the same.
type exercise struct {
	id    lift.ExerciseID
	group string
	// minVelocity is the mean velocity at one repetition maximum in m/s, and
	// slope how many percent of that maximum one m/s stands for. Zero: unknown.
	minVelocity, slope float64
}

// catalogue lists the barbell lifts. Velocities at the maximum: deadlift, squat,
// bench press, row, military press and hip thrust after Weakley et al. 2021
// (velocity-based training, review); the slope of the conventional deadlift
// after Benavides-Ubric et al. 2020 (J Sports Sci Med 19:452). No slope was
// found for another lift in mean velocity and linear form.
var catalogue = []exercise{
	{id: "deadlift", group: DeadliftFamily, minVelocity: 0.15, slope: 80.2},
	{id: "conventional_deadlift", group: DeadliftFamily, minVelocity: 0.15, slope: 80.2},
	{id: "deadlift_conventional", group: DeadliftFamily, minVelocity: 0.15, slope: 80.2},
	{id: "sumo", group: DeadliftFamily},
	{id: "sumo_deadlift", group: DeadliftFamily},
	{id: "deadlift_sumo", group: DeadliftFamily},
	{id: "trap_bar", group: DeadliftFamily},
	{id: "trap_bar_deadlift", group: DeadliftFamily},
	{id: "deadlift_trap_bar", group: DeadliftFamily},
	{id: "hex_bar", group: DeadliftFamily},
	{id: "hex_bar_deadlift", group: DeadliftFamily},
	{id: "deadlift_hex_bar", group: DeadliftFamily},
	{id: "deficit_deadlift", group: DeadliftFamily},
	{id: "deadlift_deficit", group: DeadliftFamily},
	{id: "block_pull", group: DeadliftFamily},
	{id: "block_deadlift", group: DeadliftFamily},
	{id: "deadlift_block", group: DeadliftFamily},
	{id: "rack_pull", group: DeadliftFamily},
	{id: "rack_deadlift", group: DeadliftFamily},
	{id: "deadlift_rack", group: DeadliftFamily},
	{id: "paused_deadlift", group: DeadliftFamily},
	{id: "snatch_grip_deadlift", group: DeadliftFamily},
	{id: "rdl", group: DeadliftFamily},
	{id: "romanian", group: DeadliftFamily},
	{id: "romanian_deadlift", group: DeadliftFamily},
	{id: "deadlift_romanian", group: DeadliftFamily},
	{id: "stiff_leg", group: DeadliftFamily},
	{id: "stiff_leg_deadlift", group: DeadliftFamily},
	{id: "stiff_legged_deadlift", group: DeadliftFamily},
	{id: "deadlift_stiff_leg", group: DeadliftFamily},

	{id: "squat", group: "squat_family", minVelocity: 0.30},
	{id: "back_squat", group: "squat_family", minVelocity: 0.30},
	{id: "high_bar_squat", group: "squat_family", minVelocity: 0.30},
	{id: "low_bar_squat", group: "squat_family", minVelocity: 0.30},
	{id: "front_squat", group: "squat_family"},
	{id: "box_squat", group: "squat_family"},
	{id: "paused_squat", group: "squat_family"},
	{id: "safety_bar_squat", group: "squat_family"},

	{id: "bench", group: "bench_family", minVelocity: 0.17},
	{id: "bench_press", group: "bench_family", minVelocity: 0.17},
	{id: "close_grip_bench_press", group: "bench_family"},
	{id: "incline_bench_press", group: "bench_family"},
	{id: "paused_bench_press", group: "bench_family"},
	{id: "floor_press", group: "bench_family"},

	{id: "overhead_press", group: "overhead_press_family"},
	{id: "ohp", group: "overhead_press_family"},
	{id: "military_press", group: "overhead_press_family", minVelocity: 0.19},
	{id: "seated_military_press", group: "overhead_press_family", minVelocity: 0.19},
	{id: "push_press", group: "overhead_press_family"},

	{id: "row", group: "row_family"},
	{id: "barbell_row", group: "row_family"},
	{id: "bent_over_row", group: "row_family"},
	{id: "pendlay_row", group: "row_family"},
	{id: "bench_pull", group: "row_family", minVelocity: 0.50},
	{id: "prone_bench_pull", group: "row_family", minVelocity: 0.50},
	{id: "seated_row", group: "row_family", minVelocity: 0.40},

	{id: "hip_thrust", group: "hip_thrust_family", minVelocity: 0.25},
	{id: "barbell_hip_thrust", group: "hip_thrust_family", minVelocity: 0.25},
	{id: "glute_bridge", group: "hip_thrust_family"},

	{id: "power_clean", group: "clean_family"},
	{id: "clean", group: "clean_family"},
	{id: "hang_clean", group: "clean_family"},
	{id: "snatch", group: "snatch_family"},
	{id: "power_snatch", group: "snatch_family"},
	{id: "good_morning", group: "good_morning"},
}

// lookUp returns what the catalogue knows of an exercise; one that it does not
// know is a group of its own.
func lookUp(id lift.ExerciseID) exercise {
	plain := lift.ExerciseID(strings.ReplaceAll(string(id), "-", "_"))
	for _, e := range catalogue {
		if e.id == plain {
			e.id = id
			return e
		}
	}
	return exercise{id: id, group: string(id)}
}
