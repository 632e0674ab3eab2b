package files

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// read reads a whole file; what is neither a set nor a RowError fails the test.
func read(t testing.TB, text string, o Options) (Format, []Set, []*RowError) {
	t.Helper()
	f, err := Open(strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	var sets []Set
	var refused []*RowError
	for told, err := range f.Rows() {
		if row, ok := errors.AsType[*RowError](err); ok {
			refused = append(refused, row)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, *told.Set)
	}
	return f.Format(), sets, refused
}

// short is a set as a coach would jot it down.
func short(s Set) string {
	name := strings.Join(strings.Fields(strings.Join([]string{s.Exercise, s.Equipment, s.Variant}, " ")), " ")
	number, load, warmup := "-", "-", ""
	if s.Number != nil {
		number = fmt.Sprint(*s.Number)
	}
	if s.LoadKg != nil {
		load = fmt.Sprintf("%.4g", *s.LoadKg)
	}
	if s.Warmup {
		warmup = " warm-up"
	}
	return fmt.Sprintf("%d: %s %s #%s %dx%s%s", s.Line, s.Time.Format("2006-01-02 15:04 -0700"), name, number, s.Reps, load, warmup)
}

func shorts(sets []Set) []string {
	var all []string
	for _, s := range sets {
		all = append(all, short(s))
	}
	return all
}

func reasons(refused []*RowError) []string {
	var all []string
	for _, r := range refused {
		all = append(all, r.Error())
	}
	return all
}

const day = "2026-03-02 18:05 +0100"

func TestEveryFormatAndVariantIsReadByItsHeadings(t *testing.T) {
	kg, lb := Options{Unit: Kilograms}, Options{Unit: Pounds}
	squat := []string{
		"2: " + day + " Squat (Barbell) #- 8x60 warm-up",
		"3: " + day + " Squat (Barbell) #1 5x102.5",
	}
	for _, c := range []struct {
		name    string
		options Options
		format  Format
		text    string
		want    []string
	}{
		{"strong, oldest known", kg, Strong, `Date,Workout Name,Duration,Exercise Name,Set Order,Weight,Reps,Distance,Seconds,RPE
2026-03-02 18:05:00,"A",35m,"Squat (Barbell)",W,60.0,8.0,0,0.0,
2026-03-02 18:05:00,"A",35m,"Squat (Barbell)",1,102.5,5.0,0,0.0,
`, squat},
		{"strong, with notes", kg, Strong, `Date,Workout Name,Duration,Exercise Name,Set Order,Weight,Reps,Distance,Seconds,Notes,Workout Notes,RPE
2026-03-02 18:05:00,"A",35m,"Squat (Barbell)",W,60.0,8,0,0,"said ""easy"", was","",
2026-03-02 18:05:00,"A",35m,"Squat (Barbell)",1,102.5,5,0,0,,,8.5
`, squat},
		{"strong, without duration", kg, Strong, `Date,Workout Name,Exercise Name,Set Order,Weight,Reps,Distance,Seconds,Notes,Workout Notes,RPE
2026-03-02 18:05:00,"A","Squat (Barbell)",W,60.0,8,0,0,,,
2026-03-02 18:05:00,"A","Squat (Barbell)",1,102.5,5,0,0,,,
`, squat},
		{"strong, semicolons and a unit in each row", Options{}, Strong, `Date;Workout Name;Exercise Name;Set Order;Weight;Weight Unit;Reps;RPE;Distance;Distance Unit;Seconds;Notes;Workout Notes;Workout Duration
2026-03-02 18:05:00;A;Squat (Barbell);W;60;kg;8;;;;0;;;35m
2026-03-02 18:05:00;A;Squat (Barbell);1;102,5;kg;5;;;;0;;;35m
2026-03-02 18:05:00;A;Squat (Barbell);2;225;lbs;5;;;;0;;;35m
`, append(squat[:2:2], "4: "+day+" Squat (Barbell) #2 5x102.1")},
		{"strong 6, the unit in the heading", lb, Strong, `"Workout #";"Date";"Workout Name";"Duration (sec)";"Exercise Name";"Set Order";"Weight (kg)";"Reps";"RPE";"Distance (meters)";"Seconds";"Notes";"Workout Notes"
"7";"2026-03-02 18:05:00";"A";"2100";"Squat (Barbell)";"W";"60.0";"8";"";"";"0.0";"";""
"7";"2026-03-02 18:05:00";"A";"2100";"Squat (Barbell)";"1";"102.5";"5";"";"";"0.0";"";""
`, squat},
		{"strong, German, byte-order mark, CRLF, other order of columns", kg, Strong, strings.ReplaceAll("\uFEFF"+`Datum;Workout-Name;Wiederh.;Gewicht;Name der Übung;Reihenfolge festlegen;RPE;Entfernung;Sekunden;Notizen;Workout-Notizen;Dauer
2026-03-02 18:05:00;A;8;60;Squat (Barbell);W;;0;0;;;35m
2026-03-02 18:05:00;A;5;102,5;Squat (Barbell);1;;0;0;;;35m
`, "\n", "\r\n"), squat},
		{"strong, French", kg, Strong, `Date,Nom de l'entraînement,Durée,Nom de l'exercice,Ordre de la série,Poids,Réps,Distance,Secondes,Notes,Notes d'entraînement,RPE
2026-03-02 18:05:00,"A",1h 9min,"Squat (Barbell) ",1,102.5,5.0,0,0.0,"","",
`, []string{"2: " + day + " Squat (Barbell) #1 5x102.5"}},
		{"strong, Spanish", Options{}, Strong, `Fecha,Nombre de Entrenamiento,Nombre del Ejercicio,Orden de las series,Peso (kg),Reps,Segundos
2026-03-02 18:05:00,A,Squat (Barbell),1,102.5,5,
`, []string{"2: " + day + " Squat (Barbell) #1 5x102.5"}},
		{"hevy, months in other languages", Options{}, Hevy, `title,start_time,end_time,description,exercise_title,superset_id,exercise_notes,set_index,set_type,weight_kg,reps,distance_km,duration_seconds,rpe
A,"2 mars 2026, 18:05",,,Squat,,,0,normal,100,5,,,
A,"2 févr. 2026, 18:05",,,Squat,,,0,normal,100,5,,,
A,"2 dic 2025, 18:05",,,Squat,,,0,normal,100,5,,,
A,"2 März 2025, 18:05",,,Squat,,,0,normal,100,5,,,
A,2026-03-04 18:05:00,,,Squat,,,0,normal,100,5,,,
`, []string{
			"2: " + day + " Squat #1 5x100",
			"3: 2026-02-02 18:05 +0100 Squat #1 5x100",
			"4: 2025-12-02 18:05 +0100 Squat #1 5x100",
			"5: 2025-03-02 18:05 +0100 Squat #1 5x100",
			"6: 2026-03-04 18:05 +0100 Squat #1 5x100",
		}},
		{"hevy, kg", Options{}, Hevy, `"title","start_time","end_time","description","exercise_title","superset_id","exercise_notes","set_index","set_type","weight_kg","reps","distance_km","duration_seconds","rpe"
"A","2 Mar 2026, 18:05","2 Mar 2026, 19:00","two
lines","Squat (Barbell)",,"",0,"warmup",60,8,,,
"A","2 Mar 2026, 18:05","2 Mar 2026, 19:00","","Squat (Barbell)",0,"",1,"normal",102.5,5,,,8
"A","2 Mar 2026, 18:05","2 Mar 2026, 19:00","","Pull Up",,"",0,"failure",,12,,,
`, []string{
			"2: " + day + " Squat (Barbell) #1 8x60 warm-up",
			"4: " + day + " Squat (Barbell) #2 5x102.5",
			"5: " + day + " Pull Up #1 12x-",
		}},
		{"hevy, lb, times with a zone", kg, Hevy, `title,start_time,end_time,description,exercise_title,superset_id,exercise_notes,set_index,set_type,weight_lbs,reps,distance_miles,duration_seconds,rpe
A,2026-03-02T17:05:00Z,2026-03-02T18:00:00Z,,Squat (Barbell),,,0,dropset,225,5,,,
`, []string{"2: " + day + " Squat (Barbell) #1 5x102.1"}},
		{"rweightlifting, ragged", lb, Wide, `date,exercise,equipment,variant,set1weight,set1reps,set2weight,set2reps,set3weight,set3reps
2026-03-02,squat,barbell,low bar,225,5,300,0
2026-03-02,pullup,chinup,,0,7,,,0,5
2026-03-02,row,dumbbell,kroc,60,36,
`, []string{
			"2: 2026-03-02 12:00 +0100 squat barbell low bar #1 5x102.1",
			"2: 2026-03-02 12:00 +0100 squat barbell low bar #2 0x136.1",
			"3: 2026-03-02 12:00 +0100 pullup chinup #1 7x0",
			"3: 2026-03-02 12:00 +0100 pullup chinup #3 5x0",
			"4: 2026-03-02 12:00 +0100 row dumbbell kroc #1 36x27.22",
		}},
		{"fitnotes, a unit in each row", Options{}, FitNotes, `Date,Exercise,Category,Weight,Weight Unit,Reps,Distance,Distance Unit,Time,Comment

2026-03-02,Squat,Legs,60.0,kgs,8,,,,""
2026-03-02,Squat,Legs,225.0,lbs,5,,,,"slow, deep"
2026-03-02,Pull Up,Back,,,12,,,,
`, []string{
			"3: 2026-03-02 12:00 +0100 Squat #- 8x60",
			"4: 2026-03-02 12:00 +0100 Squat #- 5x102.1",
			"5: 2026-03-02 12:00 +0100 Pull Up #- 12x-",
		}},
		{"fitnotes, the unit in the heading", Options{}, FitNotes, `Date,Exercise,Category,Weight (lbs),Reps,Distance,Distance Unit,Time,Comment
2026-03-02,Squat,Legs,225.0,5,,,,
`, []string{"2: 2026-03-02 12:00 +0100 Squat #- 5x102.1"}},
		{"fitnotes 2, a column for each unit", Options{}, FitNotes, `Date,Exercise,Category,Weight (kg),Weight (lbs),Reps,Distance,Distance Unit,Time,Notes,Kind
2026-03-02,Squat,Legs,60,,8,,,,,wr
2026-03-02,Squat,Legs,,225,5,,,,,wr
`, []string{
			"2: 2026-03-02 12:00 +0100 Squat #- 8x60",
			"3: 2026-03-02 12:00 +0100 Squat #- 5x102.1",
		}},
		{"perch, sets", Options{}, Perch, `Date,Exercise,Athlete,Set,Weight (lbs),Reps,Set Avg Mean Velocity (m/s),Set Avg Peak Power (w)
03/13/2026,Back Squat,A,1,225,5,0.61,900
`, []string{"2: 2026-03-13 12:00 +0100 Back Squat #1 5x102.1"}},
		{"plain, everything", Options{}, Plain, `date,time,exercise,set,reps,load_kg,warmup
2026-03-02,18:05,Kniebeuge,1,8,60,true
2026-03-02,18:05,Kniebeuge,2,5,"102,5",false
2026-03-02,,Kniebeuge,,5,,
`, []string{
			"2: " + day + " Kniebeuge #1 8x60 warm-up",
			"3: " + day + " Kniebeuge #2 5x102.5",
			"4: 2026-03-02 12:00 +0100 Kniebeuge #- 5x-",
		}},
		{"plain, only what is needed, tabs", Options{}, Plain,
			"reps\tload_lb\texercise\tdate\n5\t225\tSquat\t2026-03-02\n", []string{"2: 2026-03-02 12:00 +0100 Squat #- 5x102.1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.options.Zone = berlin(t)
			format, sets, refused := read(t, c.text, c.options)
			if format != c.format {
				t.Errorf("format %s, want %s", format, c.format)
			}
			if diff := cmp.Diff(c.want, shorts(sets)); diff != "" {
				t.Errorf("sets (-want +got):\n%s", diff)
			}
			if len(refused) > 0 {
				t.Errorf("refused: %q", reasons(refused))
			}
		})
	}
}

func TestARowThatIsNotTakenIsListedWithLineAndReason(t *testing.T) {
	const strong = "Date,Workout Name,Exercise Name,Set Order,Weight,Reps,Distance,Seconds,Notes\n"
	const plain = "date,time,exercise,set,reps,load_kg,warmup\n"
	const wide = "date,exercise,equipment,variant,set1weight,set1reps,set2weight,set2reps\n"
	const fitNotes = "Date,Exercise,Category,Weight,Weight Unit,Reps,Distance,Distance Unit,Time,Comment\n"
	const hevy = "start_time,exercise_title,set_index,set_type,weight_kg,reps,distance_km,duration_seconds\n"
	for _, c := range []struct{ text, want string }{
		{strong + "2026-03-02 18:05:00,A,Plank,1,0,0,0,90,", "line 2: is a distance or a time, not a set of reps"},
		{strong + "2026-03-02 18:05:00,A,Running,1,0,,5.2,0,", "line 2: is a distance or a time, not a set of reps"},
		{strong + "2026-03-02 18:05:00,A,Squat,Rest Timer,,,,120,", "line 2: is a rest timer, not a set"},
		{strong + "2026-03-02 18:05:00,A,Squat,Ruhezeit,,,,120,", "line 2: is a rest timer, not a set"},
		{strong + "2026-03-02 18:05:00,A,Squat,Minuteur de repos,0,0.0,0,120.0,", "line 2: is a rest timer, not a set"},
		{strong + "2026-03-02 18:05:00,A,Rest Timer,1,0,0,0,120,", "line 2: is a rest timer, not a set"},
		{strong + "2026-03-02 18:05:00,A,Squat,Note,,,,,knee", "line 2: is a note, not a set"},
		{strong + "2026-03-02 18:05:00,A,Squat,X,100,5,0,0,", `line 2: Set Order: "X" is not a number`},
		{strong + "2026-03-02 18:05:00,A,Squat,1,0,0,0,0,", "line 2: has neither reps nor load"},
		{strong + "2026-03-02 18:05:00,A,Squat,1,100,,0,0,", "line 2: Reps: is empty"},
		{strong + "2026-03-02 18:05:00,A,Squat,1,100,5.5,0,0,", `line 2: Reps: "5.5" is not a whole number`},
		{strong + "2026-03-02 18:05:00,A,Squat,1,100,-5,0,0,", `line 2: Reps: "-5" is outside 0 to 1000`},
		{strong + "2026-03-02 18:05:00,A,Squat,1,-20,5,0,0,", `line 2: Weight: "-20" is below zero: a machine's or band's help is not a load`},
		{strong + "2026-03-02 18:05:00,A,Squat,1,1000.5,5,0,0,", "line 2: Weight: 1000.5 kg is more than 1000 kg"},
		{strong + "2026-03-02 18:05:00,A,Squat,1,NaN,5,0,0,", `line 2: Weight: "NaN" is not a number`},
		{strong + "2026-03-02 18:05:00,A,Squat,1,1e2,5,0,0,", `line 2: Weight: "1e2" is not a number`},
		{strong + `2026-03-02 18:05:00,A,Squat,1,"1,000",5,0,0,`, `line 2: Weight: "1,000" may be 1 or thousands`},
		{strong + "2026-03-02 18:05:00,A,Squat,1,102,5,5,0,0,", "line 2: has 10 cells where the header has 9; a comma in a cell needs quotes around it"},
		{strong + "2026-03-02 18:05:00,A,Squat,1,10", "line 2: has 5 cells where the header has 9; a comma in a cell needs quotes around it"},
		{strong + "2026-03-02 18:05:00,A,,1,100,5,0,0,", "line 2: Exercise Name: is empty"},
		{strong + "2026-03-02 18:05:00,A,\xdcbung,1,100,5,0,0,", "line 2: Exercise Name: is not text in UTF-8"},
		{strong + ",A,Squat,1,100,5,0,0,", "line 2: Date: is empty"},
		{strong + "02/03/2026 18:05,A,Squat,1,100,5,0,0,", `line 2: Date: "02/03/2026 18:05" is not a date and time such as 2026-11-22 17:03`},
		{strong + "1999-03-02 18:05:00,A,Squat,1,100,5,0,0,", "line 2: Date: 1999-03-02 is before 2000"},
		{strong + ",,,,,,,,", "line 2: has no text in any cell"},
		{strong + `2026-03-02 18:05:00,A,Sq"uat,1,100,5,0,0,`, `line 2: is not CSV: bare " in non-quoted-field`},
		{strong + "2026-03-02 18:05:00,A,Squat,1,100,5,0,0,\"no end\n\n2026\n", `line 2: everything up to line 4 is not CSV: extraneous or missing " in quoted-field`},
		{hevy + `"2 Mar 2026, 18:05",Squat,0,left,100,5,,`, `line 2: set_type: "left" is not normal, warmup, dropset or failure`},
		{hevy + `"2 maart 2026, 18:05",Squat,0,normal,100,5,,`, `line 2: start_time: "2 maart 2026, 18:05" is not a date and time such as 2026-11-22 17:03`},
		{hevy + `"2 Mar 2026, 18:05",Squat,,normal,100,5,,`, `line 2: set_index: "" is not a number`},
		{hevy + `"2 Mar 2026, 18:05",Plank,0,normal,,,,60`, "line 2: is a distance or a time, not a set of reps"},
		{plain + "02.03.2026,,Squat,1,5,100,", `line 2: date: "02.03.2026" is not a date such as 2026-11-22`},
		{plain + "2026-03-02,6pm,Squat,1,5,100,", `line 2: date: "2026-03-02 6pm" is not a date and time such as 2026-11-22 17:03`},
		{plain + "2026-03-02,,Squat,0,5,100,", `line 2: set: "0" is outside 1 to 10000`},
		{plain + "2026-03-02,,Squat,1,5,100,maybe", `line 2: warmup: "maybe" is neither true nor false`},
		{fitNotes + "2026-03-02,Plank,Core,,,,,,0:01:30,", "line 2: is a distance or a time, not a set of reps"},
		{fitNotes + "2026-03-02,Running,Cardio,,,,5.0,km,,", "line 2: is a distance or a time, not a set of reps"},
		{fitNotes + "2026-03-02,Squat,Legs,100,stone,5,,,,", `line 2: Weight Unit: "stone" is neither kg nor lb`},
		{"Date;Workout Name;Exercise Name;Set Order;Weight;Reps\n2026-03-02 18:05:00;A;Squat;1;1.250;5", `line 2: Weight: "1.250" may be 1.25 or thousands`},
		{"Date,Exercise,Category,Weight (kg),Weight (lbs),Reps\n2026-03-02,Squat,Legs,100,220,5", "line 2: Weight (lbs): and Weight (kg) both have a load"},
		{wide + "2026-03-02,squat,barbell,low bar,25,25,4", "line 2: loads and reps do not pair up: 25,25,4"},
		{wide + "2026-03-02,squat,barbell,low bar,270,,,", "line 2: loads and reps do not pair up: 270"},
		{wide + "2026-03-02,squat,barbell,low bar,270,,270,5", "line 2: set1reps: is empty"},
		{wide + "2026-03-02,squat,barbell,low bar,1,1,1,1,1,1", "line 2: has 10 cells where the header has 8"},
		{wide + "2026-03-02,squat,barbell,low bar", "line 2: has no sets"},
		{wide + "2026-03-02 18:05,squat,barbell,low bar,1,1", `line 2: date: "2026-03-02 18:05" is not a date such as 2026-11-22`},
	} {
		_, _, refused := read(t, c.text, Options{Unit: Kilograms, Zone: time.UTC})
		if diff := cmp.Diff([]string{c.want}, reasons(refused)); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", c.text, diff)
		}
	}
}

func TestABadRowDoesNotHoldUpTheNext(t *testing.T) {
	_, sets, refused := read(t, `date,exercise,reps,load_kg
2026-03-02,Squat,5,100
2026-03-02,Squ"at,5,100
2026-03-02,Squat,five,100

2026-03-02,Squat,5,110
`, Options{Zone: time.UTC})
	want := []string{"2: 2026-03-02 12:00 +0000 Squat #- 5x100", "6: 2026-03-02 12:00 +0000 Squat #- 5x110"}
	if diff := cmp.Diff(want, shorts(sets)); diff != "" {
		t.Errorf("sets (-want +got):\n%s", diff)
	}
	if len(refused) != 2 || refused[0].Line != 3 || refused[1].Line != 4 {
		t.Errorf("refused: %q", reasons(refused))
	}
}

func TestUnicodeTextOfASpreadsheetIsRead(t *testing.T) {
	const text = "\uFEFFdate\texercise\treps\tload_kg\r\n2026-03-02\tÜberkopfdrücken 🏋\t5\t102,5\r\n"
	for name, order := range map[string]binary.AppendByteOrder{"little-endian": binary.LittleEndian, "big-endian": binary.BigEndian} {
		t.Run(name, func(t *testing.T) {
			var file []byte
			for _, unit := range utf16.Encode([]rune(text)) {
				file = order.AppendUint16(file, unit)
			}
			_, sets, refused := read(t, string(file), Options{Zone: time.UTC})
			if diff := cmp.Diff([]string{"2: 2026-03-02 12:00 +0000 Überkopfdrücken 🏋 #- 5x102.5"}, shorts(sets)); diff != "" || len(refused) > 0 {
				t.Errorf("refused %q, (-want +got):\n%s", reasons(refused), diff)
			}
		})
	}
}

func TestAFileInDoubtIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, text, says string
		is               error
	}{
		{"empty", "", "the file is empty", ErrFormat},
		{"another kind of file", "a,b\n1,2\n", `no heading of a training log: "a b"`, ErrFormat},
		{"a column missing", "Date,Workout Name,Exercise Name,Set Order,Weight\n", `nearest to strong, but it has no column "reps" or "réps" or "wiederh."`, ErrFormat},
		{"two loads", "date,exercise,reps,load_kg,load_lb\n", `columns 4 ("load_kg") and 5 ("load_lb") say the same`, ErrFormat},
		{"load in stones", "Date,Workout Name,Exercise Name,Set Order,Weight (st),Reps\n", `column 5 ("Weight (st)") is in neither kg nor lb`, ErrFormat},
		{"sets out of order", "date,exercise,equipment,variant,set1weight,set1reps,set3weight,set3reps\n", `column 7 is not "set2weight"`, ErrFormat},
		{"two formats at once", "date,exercise,equipment,variant,reps,load_kg,set1weight,set1reps\n", "fits both rweightlifting and plain", ErrFormat},
		{"two formats' rows after one header", "Date,Workout Name\n", `no column "exercise name" or`, ErrFormat},
		{"perch, single reps", "Date,Exercise,Rep,Weight (lbs),Reps,Set Avg Mean Velocity (m/s)\n", `column 3 ("Rep") is of single reps`, ErrFormat},
		{"perch, the exercise in the heading", "Date,Athlete,Weight (lbs),Reps,Squat Set Avg Mean Velocity (m/s)\n", "nearest to ", ErrFormat},
		{"a velocity without a unit", "Date,Exercise,Reps,Weight (kg),Set Avg Mean Velocity\n", `column 5 ("Set Avg Mean Velocity") does not say its unit`, ErrFormat},
		{"a velocity in feet", "Date,Exercise,Reps,Weight (kg),Set Avg Mean Velocity (ft/s)\n", "does not say its unit, or one that is not known", ErrFormat},
		{"a velocity without a rep", "date,exercise,set,load_kg,mean_velocity_mps\n", `it has a velocity, but no column "rep"`, ErrFormat},
		{"sets and reps at once", "date,exercise,set,rep,reps,load_kg,mean_velocity_mps\n", "a row is a set or a rep", ErrFormat},
		{"a JSON array", `[{"reference":1}]`, "one JSON array", ErrFormat},
		{"UTF-16 without a mark", "d\x00a\x00t\x00e\x00", "not text in UTF-8", ErrFormat},
		{"UTF-16 of something else", "\xff\xfed\x00a\x00t\x00e\x00", `nearest to strong, but`, ErrFormat},
		{"a workbook", "PK\x03\x04\x00\x00", "save the spreadsheet as CSV", ErrFormat},
		{"CR alone", "date,exercise,reps,load_kg\r2026-03-02,Squat,5,100\r", "lines end as those of old Macs", ErrFormat},
		{"a header without an end", strings.Repeat("date,", 20_000), "longer than", ErrFormat},
		{"no unit", "Date,Workout Name,Exercise Name,Set Order,Weight,Reps\n", "strong: the file does not say whether", ErrUnit},
		{"no unit of a wide log", "date,exercise,equipment,variant,set1weight,set1reps\n", "the unit must be given", ErrUnit},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(strings.NewReader(c.text), Options{Zone: time.UTC})
			if !errors.Is(err, c.is) || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("got %v, want %v that says %s", err, c.is, c.says)
			}
		})
	}
	for _, o := range []Options{{Unit: "stone"}, {Dates: "year-first"}, {Format: "excel"}} {
		if _, err := Open(strings.NewReader("date,exercise,reps,load_kg\n"), o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func TestAFormatThatIsInsistedOnIsTheOnlyOneTried(t *testing.T) {
	const both = "date,exercise,equipment,variant,reps,load_kg,set1weight,set1reps\n" // fits two formats
	f, err := Open(strings.NewReader(both), Options{Unit: Kilograms, Format: Wide})
	if err != nil || f.Format() != Wide {
		t.Errorf("got %v, %v", f, err)
	}
	for format, says := range map[Format]string{
		Strong:       `the header is not one of strong: it has no column "nom de l'entraînement" or "nombre de entrenamiento" or "workout name" or "workout-name"`,
		GymAwareReps: "the file has headings; gymaware-reps has none",
		"excel":      `"excel" is not one of strong, hevy, fitnotes, rweightlifting, perch, vitruve, openbarbell, openbarbell-raw, plain, gymaware-summaries, gymaware-reps`,
	} {
		if _, err := Open(strings.NewReader(both), Options{Unit: Kilograms, Format: format}); !errors.Is(err, ErrFormat) || !strings.Contains(fmt.Sprint(err), says) {
			t.Errorf("%s: got %v, want ErrFormat that says %s", format, err, says)
		}
	}
}

func TestARowWithoutAnEndDoesNotFillTheMemory(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("date,exercise,reps,load_kg\n2026-03-02,\""), zeros{})
	f, err := Open(endless, Options{Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range f.Rows() {
		last = err
	}
	if !errors.Is(last, ErrLong) {
		t.Errorf("got %v, want ErrLong", last)
	}
	f, err = Open(io.MultiReader(strings.NewReader(`{"reference":1,"recorded":1772471100,"exerciseName":"Squat","barWeight":1,"repCount":1,"meanVelocity":1}`+"\n{"),
		io.LimitReader(zeros{}, 5<<20), strings.NewReader("\n{}\n")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var refused []string
	for _, err := range f.Rows() {
		if err != nil {
			refused = append(refused, err.Error())
		}
	}
	if diff := cmp.Diff([]string{"line 2: is longer than 1 MiB", "line 3: reference: is missing"}, refused); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// zeros is a text that never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func TestATimeZoneIsAskedForOnlyWhereTheFileHasNone(t *testing.T) {
	const header = "start_time,exercise_title,set_index,set_type,weight_kg,reps\n"
	f, err := Open(strings.NewReader(header+"\"2 Mar 2026, 18:05\",Squat,0,normal,100,5\n\"2 Mar 2026, 18:05\",Squat,1,normal,100,5\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var errs []error
	for _, err := range f.Rows() {
		errs = append(errs, err)
	}
	if len(errs) != 1 || !errors.Is(errs[0], ErrZone) {
		t.Errorf("got %v, want ErrZone once", errs)
	}

	_, sets, _ := read(t, header+"2026-03-02T18:05:00+01:00,Squat,0,normal,100,5\n", Options{})
	if len(sets) != 1 || !sets[0].Time.Equal(time.Date(2026, 3, 2, 17, 5, 0, 0, time.UTC)) {
		t.Errorf("got %v", shorts(sets))
	}
}

func TestARowWithoutAUnitIsNotGuessed(t *testing.T) {
	const text = `Date;Workout Name;Exercise Name;Set Order;Weight;Weight Unit;Reps
2026-03-02 18:05:00;A;Squat;1;100;;5
2026-03-02 18:05:00;A;Pull Up;1;0;;5
2026-03-02 18:05:00;A;Squat;2;100;stone;5
`
	_, sets, refused := read(t, text, Options{Zone: time.UTC})
	want := []string{
		"line 2: Weight Unit: is empty, and no unit is given for such rows",
		`line 4: Weight Unit: "stone" is neither kg nor lb`,
	}
	if diff := cmp.Diff(want, reasons(refused)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(sets) != 1 {
		t.Errorf("sets %q", shorts(sets))
	}
	if _, sets, _ = read(t, text, Options{Unit: Pounds, Zone: time.UTC}); len(sets) != 2 || math.Abs(*sets[0].LoadKg-45.359237) > 1e-9 {
		t.Errorf("with lb given: %q", shorts(sets))
	}
}

func TestNumbersAreReadInEitherNotation(t *testing.T) {
	for text, want := range map[string]float64{
		"102.5": 102.5, "102,5": 102.5, "\u00a060\u2009": 60, "60.": 60, "0": 0, "1.134": 1.134, "102,058": 102.058,
		"1,000.5": 1000.5, "1.000,5": 1000.5, "+5": 5, "-0,5": -0.5, "\u00a07": 7,
	} {
		if got, err := parseNumber(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "1.2.3", "1,2,3", "1,00.5", "0x10", "Inf", "1_000", "--1", ".", "٣", strings.Repeat("9", 400)} {
		if got, err := parseNumber(text); err == nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func TestAReaderThatFailsEndsTheReading(t *testing.T) {
	broken := errors.New("cable pulled")
	if _, err := Open(iotest.ErrReader(broken), Options{}); !errors.Is(err, broken) {
		t.Errorf("at the header: %v", err)
	}
	rows := strings.Repeat("2026-03-02,Squat,5,100\n", 4000) // more than is read ahead
	f, err := Open(io.MultiReader(strings.NewReader("date,exercise,reps,load_kg\n"+rows), iotest.ErrReader(broken)), Options{Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	var last error
	count := 0
	for _, err := range f.Rows() {
		last = err
		count++
	}
	if !errors.Is(last, broken) || count != 4001 {
		t.Errorf("%d rows, then %v", count, last)
	}
}

func TestTheReadingCanBeLeft(t *testing.T) {
	for _, text := range []string{firstExport, "date,exercise,equipment,variant,set1weight,set1reps,set2weight,set2reps\n2026-03-02,a,b,c,1,1,1,1\n"} {
		f, err := Open(strings.NewReader(text), Options{Unit: Kilograms, Zone: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range f.Rows() {
			if n++; err != nil {
				t.Error(err)
			}
			break
		}
		if n != 1 {
			t.Errorf("%d sets before it was left", n)
		}
	}
}
