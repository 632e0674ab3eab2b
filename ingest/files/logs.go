package files

import (
	"fmt"
	"strings"
)

// The training logs whose rows are one set each.
//
// Strong writes its headings in the language of the app. The French ones are of a real
// export (github.com/Martsk23/fitness-recomp, tests/fixtures), the German ones as users
// report them, and the Spanish ones as the app calismap writes its own exports after
// them; files of the last two were not at hand.

var strong = spec{
	format: Strong,
	headings: map[string]heading{
		"date": {column: dateColumn}, "datum": {column: dateColumn}, "fecha": {column: dateColumn},
		"workout name": {column: workoutColumn}, "workout-name": {column: workoutColumn},
		"nom de l'entraînement": {column: workoutColumn}, "nombre de entrenamiento": {column: workoutColumn},
		"exercise name": {column: exerciseColumn}, "name der übung": {column: exerciseColumn},
		"nom de l'exercice": {column: exerciseColumn}, "nombre del ejercicio": {column: exerciseColumn},
		"set order": {column: numberColumn}, "reihenfolge festlegen": {column: numberColumn},
		"ordre de la série": {column: numberColumn}, "orden de las series": {column: numberColumn},
		"weight": {column: loadColumn}, "gewicht": {column: loadColumn}, "poids": {column: loadColumn}, "peso": {column: loadColumn},
		"weight unit": {column: unitColumn}, "gewichtseinheit": {column: unitColumn},
		"reps": {column: repsColumn}, "wiederh.": {column: repsColumn}, "réps": {column: repsColumn},
		"distance": {column: distanceColumn}, "entfernung": {column: distanceColumn},
		"seconds": {column: secondsColumn}, "sekunden": {column: secondsColumn},
		"secondes": {column: secondsColumn}, "segundos": {column: secondsColumn},
	},
	required: []column{dateColumn, workoutColumn, exerciseColumn, numberColumn, loadColumn, repsColumn},
	read: oneSet(func(r row, e *entry) error {
		if strings.EqualFold(r.cell(exerciseColumn), "rest timer") {
			return r.refuse("is a rest timer, not a set")
		}
		e.key.number = strings.ToLower(r.cell(numberColumn))
		switch e.key.number {
		case "rest timer", "ruhezeit", "minuteur de repos":
			return r.refuse("is a rest timer, not a set")
		case "note":
			return r.refuse("is a note, not a set")
		case "w":
			e.Set.Warmup = true
			return nil
		case "d", "f":
			return nil
		}
		return r.number(e, 1)
	}),
}

var hevy = spec{
	format: Hevy,
	headings: map[string]heading{
		"start_time": {column: dateColumn}, "exercise_title": {column: exerciseColumn},
		"set_index": {column: numberColumn}, "set_type": {column: kindColumn},
		"weight_kg": {loadColumn, "kg"}, "weight_lbs": {loadColumn, "lbs"}, "reps": {column: repsColumn},
		"distance_km": {column: distanceColumn}, "distance_miles": {column: distanceColumn},
		"duration_seconds": {column: secondsColumn},
	},
	required: []column{dateColumn, exerciseColumn, numberColumn, kindColumn, loadColumn, repsColumn},
	read: oneSet(func(r row, e *entry) error {
		switch kind := strings.ToLower(r.cell(kindColumn)); kind {
		case "warmup":
			e.Set.Warmup = true
		case "normal", "dropset", "failure":
		default:
			return r.refuseColumn(kindColumn, fmt.Errorf("%q is not normal, warmup, dropset or failure", clip(kind)))
		}
		return r.number(e, 0)
	}),
}

// The headings of FitNotes are those of its documentation and of what other programs
// read: github.com/MakisChristou/verifit issue 18, github.com/LiamMorrow/LiftLog
// docs/CsvImport.md, getfitnotes.com/docs/migrate-from-other-apps.html.
var fitNotes = spec{
	format: FitNotes,
	headings: map[string]heading{
		"date": {column: dateColumn}, "exercise": {column: exerciseColumn}, "category": {column: categoryColumn},
		"weight": {column: loadColumn}, "weight unit": {column: unitColumn}, "reps": {column: repsColumn},
		"distance": {column: distanceColumn}, "time": {column: secondsColumn},
	},
	required: []column{dateColumn, exerciseColumn, categoryColumn, loadColumn, repsColumn},
	read:     oneSet(func(row, *entry) error { return nil }),
}

var perch = spec{
	format: Perch,
	headings: map[string]heading{
		"date": {column: dateColumn}, "time": {column: timeColumn}, "exercise": {column: exerciseColumn}, "exercise name": {column: exerciseColumn},
		"set": {column: numberColumn}, "set number": {column: numberColumn}, "reps": {column: repsColumn},
		"weight": {column: loadColumn}, "athlete": {column: personColumn}, "athlete name": {column: personColumn},
		"rep": {column: repColumn}, "rep number": {column: repColumn},
		"set avg mean velocity": {column: averageColumn}, "set avg peak velocity": {column: averagePeakColumn},
	},
	required: []column{dateColumn, exerciseColumn, loadColumn, repsColumn},
	check: func(l *layout) error {
		switch {
		case !l.has(averageColumn) && !l.has(averagePeakColumn):
			return fmt.Errorf("it has no column %s or %s", l.wanted(averageColumn), l.wanted(averagePeakColumn))
		case l.has(repColumn):
			return fmt.Errorf("column %d (%q) is of single reps, whose export has other values under the same headings; only the export of sets is read", l.at[repColumn]+1, l.heads[l.at[repColumn]])
		}
		return nil
	},
	read: oneSet(func(r row, e *entry) error {
		if !r.has(numberColumn) {
			return nil
		}
		return r.number(e, 1)
	}),
}
