package files

import (
	"fmt"
	"slices"
	"strings"
)

// Format is a kind of file.
type Format string

const (
	// Strong is the export of the app Strong, in all variants known: separated by
	// comma or semicolon, the unit of load in no column, a column of its own or the
	// heading, English, French, German or Spanish headings. Set order W is a warm-up, D and F are
	// counted sets; rows of rest timers and notes are not sets.
	Strong Format = "strong"
	// Hevy is the export of the app Hevy, with weight_kg or weight_lbs; months may be
	// named in the languages that the app has.
	Hevy Format = "hevy"
	// FitNotes is the spreadsheet export of the apps FitNotes (Android) and
	// FitNotes 2 (iOS): the unit in each row, in the heading, or a column for each
	// unit. It tells days, and neither numbers of sets nor warm-ups.
	FitNotes Format = "fitnotes"
	// Wide is the log of the R package rweightlifting: a row for each day and
	// exercise, with set1weight, set1reps, set2weight and so on. It tells no unit.
	Wide Format = "rweightlifting"
	// Perch is an export of sets from Perch, with "Set Avg Mean Velocity (m/s)" or
	// "Set Avg Peak Velocity (m/s)". Averages are not the best rep, so that its sets
	// have no velocity.
	Perch Format = "perch"
	// Vitruve is the CSV export of Vitruve: a row for each rep.
	Vitruve Format = "vitruve"
	// OpenBarbell is the CSV export of the apps of OpenBarbell and RepOne, with or
	// without the columns of the flywheel Kratos: a row for each rep.
	OpenBarbell Format = "openbarbell"
	// OpenBarbellRaw is OpenBarbell's database as a study published it, in two files
	// that are read together: rep_data.csv and set_data.csv.
	OpenBarbellRaw Format = "openbarbell-raw"
	// GymAwareSummaries is what GymAware Cloud's API answers for /summaries: an
	// object a line, each a set with the velocity of its best rep.
	GymAwareSummaries Format = "gymaware-summaries"
	// GymAwareReps is the same for /reps: each object a set with all its reps.
	GymAwareReps Format = "gymaware-reps"
	// Plain is for files of any other origin: date (2026-11-22), exercise, load_kg
	// (or load_lb), and either reps, or mean_velocity_mps with set and rep. Without a
	// velocity a row is a set, with it a rep.
	Plain Format = "plain"
)

// Formats are all formats that are known.
func Formats() []Format {
	var all []Format
	for _, s := range specs() {
		if !slices.Contains(all, s.format) {
			all = append(all, s.format)
		}
	}
	return append(all, GymAwareSummaries, GymAwareReps)
}

func checkFormat(f Format) error {
	if f == "" || slices.Contains(Formats(), f) {
		return nil
	}
	var names []string
	for _, known := range Formats() {
		names = append(names, string(known))
	}
	return fmt.Errorf("%w: %q is not one of %s", ErrFormat, clip(string(f)), strings.Join(names, ", "))
}

// specs are the formats that have headings, the likeliest first.
func specs() []*spec {
	return []*spec{&strong, &hevy, &fitNotes, &wide, &perch, &vitruve, &openBarbell, &rawReps, &rawSets, &plain}
}

// spec is how a format with headings is known and read.
type spec struct {
	format   Format
	headings map[string]heading // in lower case, without a unit in brackets
	required []column           // make a file one of the format
	check    func(l *layout) error
	read     func(r row, yield func(entry, error) bool)
	blanks   []string // cells that mean nothing, beside the empty one
}

// heading is what a column means.
type heading struct {
	column column
	unit   string // of its values, where the heading has none in brackets
}

// column is a meaning that a column can have.
type column int

const (
	dateColumn column = iota
	timeColumn
	repTimeColumn
	restColumn
	workoutColumn
	exerciseColumn
	equipmentColumn
	variantColumn
	categoryColumn
	numberColumn
	kindColumn
	loadColumn
	otherLoadColumn // the load in the other unit
	unitColumn
	repsColumn
	distanceColumn
	secondsColumn
	warmupColumn

	repColumn
	meanColumn
	peakColumn
	propulsiveColumn
	romColumn
	concentricColumn
	eccentricColumn
	timeToPeakColumn
	averageColumn
	averagePeakColumn

	mailColumn
	personColumn
	lastNameColumn
	tagsColumn

	setIDColumn
	validColumn
	removedColumn
	deletedColumn
	startFlagColumn
	endFlagColumn
	columns
)

// parts are how many of a measure's unit make one of the unit that lift.Rep has it in:
// divided by it, decimal values stay what they are.
var parts = map[column]map[string]float64{
	meanColumn: speeds, peakColumn: speeds, propulsiveColumn: speeds, averageColumn: speeds, averagePeakColumn: speeds,
	romColumn:        {"m": 1, "cm": 100, "mm": 1e3, "um": 1e6},
	concentricColumn: durations, eccentricColumn: durations, timeToPeakColumn: durations,
}

var (
	speeds    = map[string]float64{"m/s": 1, "mm/s": 1e3}
	durations = map[string]float64{"s": 1, "sec": 1, "ms": 1e3, "us": 1e6}
)

// headingOf are the columns of a lift.Rep's fields, as lift.FieldError names them.
var headingOf = map[string]column{
	"mean_velocity_mps": meanColumn, "peak_velocity_mps": peakColumn, "mean_propulsive_velocity_mps": propulsiveColumn, "rom_m": romColumn,
	"concentric_s": concentricColumn, "eccentric_s": eccentricColumn, "time_to_peak_s": timeToPeakColumn,
	"load_kg": loadColumn, "set": numberColumn, "rep": repColumn, "seq": repColumn, "time": dateColumn,
}
