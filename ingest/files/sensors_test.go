package files

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

// readReps reads a whole file of reps; what is neither a rep nor a RowError fails the test.
func readReps(t testing.TB, text string, o Options) ([]Rep, []*RowError) {
	t.Helper()
	f, err := Open(strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	var reps []Rep
	var refused []*RowError
	for row, err := range f.Rows() {
		if e, ok := errors.AsType[*RowError](err); ok {
			refused = append(refused, e)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		reps = append(reps, *row.Rep)
	}
	return reps, refused
}

// shortRep is a rep as a coach would jot it down.
func shortRep(r Rep) string {
	number := func(n *int) string {
		if n == nil {
			return "-"
		}
		return fmt.Sprint(*n)
	}
	value := func(v *float64) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprintf("%.4g", *v)
	}
	return fmt.Sprintf("%d: %s %s #%s.%s %skg mean %.4g peak %s mpv %s rom %s in %s down %s",
		r.Line, r.Time.Format("01-02 15:04:05.999 -0700"), r.Exercise, number(r.Set), number(r.Rep.Rep), value(r.LoadKg), r.MeanVelocity,
		value(r.PeakVelocity), value(r.MeanPropulsiveVelocity), value(r.ROM), value(r.Concentric), value(r.Eccentric))
}

func shortReps(reps []Rep) []string {
	var all []string
	for _, r := range reps {
		all = append(all, shortRep(r))
	}
	return all
}

const vitruveHeader = "Email,Athlete,Last Name,Exercise,Workout Date,Repetition Date,# Set,# Rep.,Type*,1RM (kg),1RM / Body Weight (%),Acceleration Index (m/s2),Fatigue (PV) (%),Fatigue [MPV] (%),Fatigue [MV] (%),Jump Contact Time (ms),Jump Contraction Time (ms),Jump Flight Time (ms),Jump Height (m),Jump Modified RSI (m/s),Jump Net Impulse (N),Jump Positive Impulse (N),Jump RSI (m/s),Mean Acceleration (m/s2),Mean Force (N),Mean Force / Body Weight (N/kg),Mean Power [MPV] (W),Mean Power [MV] (W),Mean Power / Body Weight [MPV] (w/kg),Mean Power / Body Weight [MV] (w/kg),Mean Propulsive Velocity (m/s),Mean Velocity (m/s),Peak Acceleration (m/s2),Peak Force (N),Peak Force / Body Weight (N/kg),Peak Power (W),Peak Power / Body Weight (w/kg),Peak Velocity (m/s),Peak Velocity / Body Weight (m/s/kg),Repetition Duration (ms),ROM (Range of Motion) (m),Time (s),Time to Peak Velocity (ms),Weight (kg),Weight / Body Weight (%)\n"

// vitruveRow is a row as Vitruve writes it; what is "" there is blank.
func vitruveRow(person, exercise, date, clock string, set, rep int, kind, mpv, mean, peak, ms, rom, load string) string {
	return fmt.Sprintf("%s,Ada,Lift,%s,%s,%s,%d,%d,%s,,,2.1,,,,,,,,,,,,0.04,600.5,,400.1,390.2,,,%s,%s,3.5,810.2,,950.1,,%s,,%s,%s,,510.5,%s,\n",
		person, exercise, date, clock, set, rep, kind, mpv, mean, peak, ms, rom, load)
}

func TestVitruveTellsEveryRep(t *testing.T) {
	text := vitruveHeader +
		vitruveRow("a@example.org", "Deadlift", "05/06/2026", "07:46:17", 1, 1, "concentric", "0.62", "0.55", "0.98", "1090.91", "0.6", "80") +
		vitruveRow("a@example.org", "Deadlift", "05/06/2026", "07:46:17", 1, 2, "concentric", "", "0.5", "", "1200", "0.6", "80") +
		vitruveRow("a@example.org", "Deadlift", "05/06/2026", "07:46:17", 2, 1, "concentric", "0.5", "0.48", "0.9", "", "", "")
	reps, refused := readReps(t, text, Options{Zone: berlin(t)})
	want := []string{
		"2: 06-05 07:46:17 +0200 Deadlift #1.1 80kg mean 0.55 peak 0.98 mpv 0.62 rom 0.6 in 1.091 down -",
		"3: 06-05 07:46:18 +0200 Deadlift #1.2 80kg mean 0.5 peak - mpv - rom 0.6 in 1.2 down -",
		"4: 06-05 07:47:17 +0200 Deadlift #2.1 -kg mean 0.48 peak 0.9 mpv 0.5 rom - in - down -",
	}
	if diff := cmp.Diff(want, shortReps(reps)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(refused) > 0 {
		t.Errorf("refused %q", reasons(refused))
	}
	for _, r := range reps {
		if r.Source != lift.SourceImported || !r.Historical || len(r.BootID) != 32 || r.Seq != int64(*r.Rep.Rep) || *r.TimeToPeak != 0.5105 {
			t.Errorf("not an imported rep: %+v", r)
		}
	}
	if reps[0].BootID != reps[1].BootID || reps[0].BootID == reps[2].BootID {
		t.Error("a set is not known by its boot id")
	}
	again, _ := readReps(t, text, Options{Zone: time.UTC})
	for i := range again {
		if again[i].BootID != reps[i].BootID || again[i].Seq != reps[i].Seq {
			t.Errorf("rep %d has another identity when it is read in another zone", i)
		}
	}
}

const openBarbellHeader = "Exercise,Set,Rep,Weight,Metric,Set RPE,Tags,Workout Start Time,Rest Time,Avg Velocity (m/s),Range of Motion (mm),Peak Velocity (m/s),Peak Velocity Location (%),Duration of rep (sec)\n"

func TestOpenBarbellsTimesAreMadeOfTheWorkoutsStartAndItsRests(t *testing.T) {
	reps, refused := readReps(t, openBarbellHeader+
		`"squat",1,1,"100","kgs","8","a,b","2026-03-02 18:05:00","00:00:00",0.5,600,0.9,54,1.2
"squat",1,2,"100","kgs","8","a,b","2026-03-02 18:05:00","00:00:00",0.48,600,0.88,54,1.25
"squat",2,1,"225","lbs","","","2026-03-02 18:05:00","00:03:00",0.45,600,0.8,54,1.3333
"bench ",1,1,null,"kgs",null,"","2026-03-02 18:05:00","00:05:30",0.4,400,0.6,60,1
"squat",1,1,"100","kgs","","","2026-03-02 18:05:00","00:04:00",0.44,600,0.8,54,1.35
`, Options{Zone: time.UTC})
	want := []string{
		"2: 03-02 18:05:00 +0000 squat #1.1 100kg mean 0.5 peak 0.9 mpv - rom 0.6 in 1.2 down -",
		"3: 03-02 18:05:01 +0000 squat #1.2 100kg mean 0.48 peak 0.88 mpv - rom 0.6 in 1.25 down -",
		"4: 03-02 18:08:01 +0000 squat #2.1 102.1kg mean 0.45 peak 0.8 mpv - rom 0.6 in 1.333 down -",
		"5: 03-02 18:13:31 +0000 bench #1.1 -kg mean 0.4 peak 0.6 mpv - rom 0.4 in 1 down -",
		"6: 03-02 18:17:31 +0000 squat #-.1 100kg mean 0.44 peak 0.8 mpv - rom 0.6 in 1.35 down -",
	}
	if diff := cmp.Diff(want, shortReps(reps)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(refused) > 0 {
		t.Errorf("refused %q", reasons(refused))
	}
}

func TestASetWithoutAnExerciseStillSeparatesTwoOthers(t *testing.T) {
	reps, refused := readReps(t, openBarbellHeader+
		`"deadlift",1,1,"100","kgs","","","2026-03-02 18:05:00","00:00:00",0.5,600,0.9,54,1.2
null,1,1,null,"kgs","","","2026-03-02 18:05:00","00:02:00.5",0.5,600,0.9,54,1.2
"deadlift",1,1,"120","kgs","","","2026-03-02 18:05:00","00:03:00.7",0.4,600,0.8,54,1.5
`, Options{Zone: time.UTC})
	want := []string{
		"2: 03-02 18:05:00 +0000 deadlift #1.1 100kg mean 0.5 peak 0.9 mpv - rom 0.6 in 1.2 down -",
		"4: 03-02 18:10:00 +0000 deadlift #-.1 120kg mean 0.4 peak 0.8 mpv - rom 0.6 in 1.5 down -",
	}
	if diff := cmp.Diff(want, shortReps(reps)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"line 3: Exercise: is empty"}, reasons(refused)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestASecondCopyOfAWorkoutTellsNoRepTwice(t *testing.T) {
	const workout = `"squat",1,1,"100","kgs","","","2026-03-02 18:05:00","00:00:00",0.5,600,0.9,54,1.2
"squat",2,1,"100","kgs","","","2026-03-02 18:05:00","00:03:00",0.5,600,0.9,54,1.2
`
	reps, refused := readReps(t, openBarbellHeader+workout+workout, Options{Zone: time.UTC})
	if len(reps) != 2 || len(refused) != 2 || refused[0].Error() != "line 4: has the set and rep of line 2" {
		t.Errorf("reps %q, refused %q", shortReps(reps), reasons(refused))
	}
}

const kratosHeader = "Exercise,Set,Rep,Weight,Metric,Set RPE,Tags,Workout Start Time,Rest Time,Concentric Avg Velocity (m/s),Concentric Range of Motion (mm),Concentric Peak Velocity (m/s),Concentric Peak Velocity Location (%),Concentric Duration of rep (sec),Concentric Force,Concentric Force Loc,Concentric Power,Concentric Power Loc,Concentric Work,Concentric Work Loc,Eccentric Avg Velocity (m/s),Eccentric Range of Motion (mm),Eccentric Peak Velocity (m/s),Eccentric Peak Velocity Location (%),Eccentric Duration of rep (sec),Eccentric Force,Eccentric Force Loc,Eccentric Power,Eccentric Power Loc,Eccentric Work,Eccentric Work Loc,\n"

func TestRepsOfTheKratosAreReadThoughTheirRowsDoNotEnd(t *testing.T) {
	flywheel := func(rep int) string {
		return fmt.Sprintf(`"row",1,%d,"","kgs","","","2026-03-02 18:05:00","00:00:00",0.50,600,0.90,812.5,1.2,812.5,,300,,480,,0.40,600,0.80,700.1,1.5,700.1,,200,,400,,`, rep)
	}
	reps, refused := readReps(t, kratosHeader+flywheel(1)+flywheel(2)+
		`"squat",1,1,"100","kgs","","","2026-03-02 18:05:00","00:03:00",0.5,600,0.9,54,1.2,,,,,,,,,,,,,,,,,,`+"\n"+
		flywheel(3), Options{Zone: time.UTC})
	want := []string{
		"2: 03-02 18:05:00 +0000 row #1.1 -kg mean 0.5 peak 0.9 mpv - rom 0.6 in 1.2 down 1.5",
		"2: 03-02 18:05:01 +0000 row #1.2 -kg mean 0.5 peak 0.9 mpv - rom 0.6 in 1.2 down 1.5",
		"2: 03-02 18:08:01 +0000 squat #1.1 100kg mean 0.5 peak 0.9 mpv - rom 0.6 in 1.2 down -",
	}
	if diff := cmp.Diff(want, shortReps(reps)[:3]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(reps) != 4 || len(refused) > 0 {
		t.Errorf("reps %q, refused %q", shortReps(reps), reasons(refused))
	}
}

func TestADateThatCanBeReadInTwoWaysIsAskedFor(t *testing.T) {
	text := func(date string) string {
		return openBarbellHeader + `"squat",1,1,100,kgs,,,"` + date + `",,0.5,600,0.9,54,1.2`
	}
	for _, c := range []struct {
		date  string
		order DateOrder
		want  string // "" means that the order is asked for
	}{
		{"5/16/2018, 5:37:11 PM", "", "2018-05-16 17:37:11"},
		{"5/16/2018, 5:37:11\u202FPM", "", "2018-05-16 17:37:11"},
		{"5/16/2018, 12:07:11 AM", "", "2018-05-16 00:07:11"},
		{"16/05/2018, 17:37:11", "", "2018-05-16 17:37:11"},
		{"16.5.2018, 17:37:11", "", "2018-05-16 17:37:11"},
		{"2018/5/6 17:37:11", "", "2018-05-06 17:37:11"},
		{"2018-05-06T17:37:11Z", "", "2018-05-06 17:37:11"},
		{"5/5/2018, 17:37:11", "", "2018-05-05 17:37:11"},
		{"Sun May 06 2018 17:37:11 GMT+0200 (CEST)", "", "2018-05-06 15:37:11"},
		{"Sun May  6 17:37:11 2018", "", "2018-05-06 17:37:11"},
		{"May 6, 2018, 5:37:11 PM", "", "2018-05-06 17:37:11"},
		{"5/6/2018, 5:37:11 PM", "", ""},
		{"05.06.2018, 17:37:11", "", ""},
		{"5/6/2018, 5:37:11 PM", MonthFirst, "2018-05-06 17:37:11"},
		{"5/6/2018, 17:37:11", DayFirst, "2018-06-05 17:37:11"},
	} {
		f, err := Open(strings.NewReader(text(c.date)), Options{Zone: time.UTC, Dates: c.order})
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range f.Rows() {
			switch {
			case c.want == "" && !errors.Is(err, ErrDateOrder):
				t.Errorf("%s: got %v, want ErrDateOrder", c.date, err)
			case c.want != "" && err != nil:
				t.Errorf("%s: %v", c.date, err)
			case c.want != "" && row.Rep.Time.UTC().Format(time.DateTime) != c.want:
				t.Errorf("%s: got %v, want %s", c.date, row.Rep.Time, c.want)
			}
		}
	}
}

const (
	repData = ",setID,RepCount,isValid,removed,hardware,appVersion,deviceName,deviceIdentifier,time,StartMessg,RepN,AvgVel,ROM,PeakVel,PeakVelLoc,PeakAccel,RepDur,TimeBWReps,TimeRepComp,TimeRepWait,SlowAllow,Backlight,MinAllow,ComprEnable,FiltrEnable,CodeV,UnitN,LED,Bright,LowPow,BulkStart\n"
	setData = ",_id,deleted,endTime,exercise,initialStartTime,metric,removed,rpe,setID,setNumber,startTime,tags,userID,weight,workoutID\n"
)

func rawRep(set string, count int, valid, removed, start, values, end string) string {
	return fmt.Sprintf("0,%s,%d,%s,%s,ios,3.3.1,OB 1,AA,2026-03-02T17:05:%02d.250Z,%s,7,%s,54,32.1,1200000,0.1,2.8e+09,0,130000,10000,150000,1,1,3.01,1,205,20,1,%s\n",
		set, count, valid, removed, 10+count, start, values, end)
}

func TestTheDumpOfOpenBarbellIsReadWithItsSets(t *testing.T) {
	good := "0.5000001,600,0.9"
	reps := repData +
		rawRep("s1", 0, "True", "False", "-3456", good, "-9999") +
		rawRep("s1", 1, "True", "True", "-3456", good, "-9999") +
		rawRep("s1", 2, "False", "False", "-3456", "312,600,0.9", "-9999") +
		rawRep("s1", 3, "True", "False", "138", good, "-9999") +
		rawRep("s1", 4, "True", "False", "-3456", good, "120") +
		rawRep("s2", 0, "True", "False", "-3456.0", good, "-9999.0") +
		rawRep("s3", 0, "True", "False", "-3456", good, "-9999") +
		rawRep("s4", 0, "True", "False", "-3456", good, "-9999") +
		rawRep("s9", 0, "True", "False", "-3456", good, "-9999")
	sets := setData +
		"1,s1,0.0,,bench ,2026-03-02T17:05:00Z,kgs,0.0,< 5.5,s1,18.0,,\"['a', 'b']\",u1,42.5,w\n" +
		"2,s2,0.0,,squat,2026-03-02T17:05:00Z,lbs,0.0,,s2,19.0,,,u1,225,w\n" +
		"3,s3,1.0,,squat,2026-03-02T17:05:00Z,kgs,0.0,,s3,20.0,,,u1,100,w\n" +
		"4,s4,0.0,,,2026-03-02T17:05:00Z,kgs,0.0,,s4,21.0,,,u1,100,w\n"
	want := []string{
		"2: 03-02 17:05:10.25 +0000 bench #18.1 42.5kg mean 0.5 peak 0.9 mpv - rom 0.6 in 1.2 down -",
		"7: 03-02 17:05:10.25 +0000 squat #19.1 102.1kg mean 0.5 peak 0.9 mpv - rom 0.6 in 1.2 down -",
	}
	wantRefused := []string{
		"line 3: removed: the lifter or the app has taken the rep out",
		"line 4: isValid: the app has found the sensor's frame not valid",
		`line 5: StartMessg: the sensor's frame is shifted: it begins with "138"`,
		`line 6: BulkStart: the sensor's frame is shifted: "120" stands where -9999 is expected`,
		"line 8: its set, line 4 of the file of sets: it is marked as deleted",
		"line 9: its set, line 5 of the file of sets: exercise: is empty",
		"line 10: setID: is not in the file of sets",
	}
	for _, files := range [][2]string{{reps, sets}, {sets, reps}} {
		got, refused := readReps(t, files[0], Options{Companion: strings.NewReader(files[1])})
		if diff := cmp.Diff(want, shortReps(got)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(wantRefused, reasons(refused)); diff != "" {
			t.Errorf("refused (-want +got):\n%s", diff)
		}
	}
	for _, c := range []struct{ first, second, says string }{
		{reps, "", "set_data.csv"},
		{sets, "", "rep_data.csv"},
		{reps, reps, "the same headings"},
	} {
		o := Options{}
		if c.second != "" {
			o.Companion = strings.NewReader(c.second)
		}
		if _, err := Open(strings.NewReader(c.first), o); !errors.Is(err, ErrCompanion) || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("got %v, want ErrCompanion that says %s", err, c.says)
		}
	}
	if _, err := Open(strings.NewReader("date,exercise,reps,load_kg\n"), Options{Companion: strings.NewReader(sets)}); err == nil {
		t.Error("a second file was ignored")
	}
}

func TestGymAwaresAnswersAreRead(t *testing.T) {
	const head = `"recorded":1772471100.5,"modified":1772471200,"athleteReference":17,"athleteName":"Lift, Ada","exerciseName":"Back Squat","activityName":"Lower Body Push","barWeight":100`
	reps, refused := readReps(t, `{"reference":900,`+head+`,"deleted":false,"athleteWeight":80,"reps":[{"REPNUM":1,"Conc Mean Velocity":0.55,"Conc Peak Velocity":0.9,"Conc Mean Power":500},{"REPNUM":2,"Conc Mean Velocity":0.5,"Conc Peak Velocity":null,"Conc Mean Power":480}]}

{"reference":901,`+head+`,"deleted":true,"reps":[{"REPNUM":1,"Conc Mean Velocity":0.55}]}
{"reference":902,`+head+`,"reps":[{"REPNUM":1,"Conc Mean Velocity":5.5},{"REPNUM":2,"Conc Mean Velocity":0.5}]}
{"reference":903,`+head+`,"reps":[{"REPNUM":1,"Mittlere Geschwindigkeit":0.5}]}
{"reference":904,`+head+`,"reps":[]}
{"reference":905
{"reference":906,"barWeight":"heavy"}
{"reference":902,`+head+`,"reps":[{"REPNUM":2,"Conc Mean Velocity":0.5}]}
`, Options{})
	want := []string{
		"1: 03-02 17:05:00.5 +0000 Back Squat #-.1 100kg mean 0.55 peak 0.9 mpv - rom - in - down -",
		"1: 03-02 17:05:01.5 +0000 Back Squat #-.2 100kg mean 0.5 peak - mpv - rom - in - down -",
		"4: 03-02 17:05:01.5 +0000 Back Squat #-.2 100kg mean 0.5 peak - mpv - rom - in - down -",
	}
	if diff := cmp.Diff(want, shortReps(reps)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantRefused := []string{
		"line 3: deleted: the set is marked as deleted",
		"line 4: Conc Mean Velocity: 5.5 is outside (0, 4] m/s",
		"line 5: reps: no label of the reps is known for a mean velocity, such as Conc Mean Velocity; there are Mittlere Geschwindigkeit, REPNUM",
		"line 6: reps: is empty",
		"line 7: is not a JSON object",
		"line 8: barWeight: is of another kind than expected",
		"line 9: has the set and rep of line 4",
	}
	if diff := cmp.Diff(wantRefused, reasons(refused)); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}

	format, sets, refused := read(t, `{"reference":"a1",`+head+`,"deleted":false,"repCount":5,"meanVelocity":0.55,"peakVelocity":0.9}
{"reference":"a2",`+head+`,"deleted":false,"repCount":3,"meanVelocity":0}
{"reference":"a2",`+head+`,"deleted":false,"repCount":3,"meanVelocity":0}
{"reference":"a3",`+head+`,"repCount":2.5,"meanVelocity":0.5}
{"reference":"a4",`+head+`,"repCount":2,"meanVelocity":55}
`, Options{Zone: berlin(t)})
	if diff := cmp.Diff([]string{"1: 2026-03-02 18:05 +0100 Back Squat #- 5x100", "2: 2026-03-02 18:05 +0100 Back Squat #- 3x100"}, shorts(sets)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if format != GymAwareSummaries || *sets[0].BestMps != 0.55 || sets[1].BestMps != nil {
		t.Errorf("%s: best %v, %v", format, sets[0].BestMps, sets[1].BestMps)
	}
	wantRefused = []string{
		"line 3: has the workout, exercise and set of line 2",
		"line 4: repCount: 2.5 is not a whole number from 0 to 1000",
		"line 5: meanVelocity: 55 is outside (0, 4] m/s",
	}
	if diff := cmp.Diff(wantRefused, reasons(refused)); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}

	for text, says := range map[string]string{
		`{"a":1}`:                      "no key of GymAware's",
		`{"reference":1,"recorded":1}`: "it lacks exerciseName, barWeight, reps to be one of /reps, and exerciseName, barWeight, repCount, meanVelocity to be one of /summaries",
		`{"reference":1,` + head + `,"reps":[{"REPNUM":1,"X":0.5}]}`: "there are REPNUM, X",
		"{\n":  "not a JSON object",
		"{} x": "not a JSON object",
	} {
		if _, err := Open(strings.NewReader(text), Options{}); !errors.Is(err, ErrFormat) || !strings.Contains(fmt.Sprint(err), says) {
			t.Errorf("%s: got %v, want ErrFormat that says %s", text, err, says)
		}
	}
}

func TestAPlainFileCanTellRepsOfAnySensor(t *testing.T) {
	reps, refused := readReps(t, `date,time,exercise,set,rep,load_kg,mean_velocity_mps,peak_velocity_mps,rom_m,concentric_s,eccentric_s,rep_time,warmup
2026-03-02,18:05,Squat,1,1,100,0.5,0.9,0.6,1.2,1.5,,
2026-03-02,18:05,Squat,1,2,100,"0,5",,,,,18:05:07.5,true
2026-03-02,,Squat,2,2,,0.5,,,,,,
2026-03-02,18:05,Squat,1,3,100,0.9,0.8,,,,,
2026-03-02,18:05,Squat,1,4,100,0.5,,0.6,2,,,
2026-03-02,18:05,Squat,1,1,100,0.5,,,,,,
2026-03-02,18:05,Squat,1,5,100,,,,,,,
2026-03-02,18:05,Squat,1,6,100,0.5,,,,,soon,
2026-03-02,18:05,Squat,,6,100,0.5,,,,,,
`, Options{Zone: time.UTC})
	want := []string{
		"2: 03-02 18:05:00 +0000 Squat #1.1 100kg mean 0.5 peak 0.9 mpv - rom 0.6 in 1.2 down 1.5",
		"3: 03-02 18:05:07.5 +0000 Squat #1.2 100kg mean 0.5 peak - mpv - rom - in - down -",
		"4: 03-02 12:01:01 +0000 Squat #2.2 -kg mean 0.5 peak - mpv - rom - in - down -",
	}
	if diff := cmp.Diff(want, shortReps(reps)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !reps[1].Warmup {
		t.Error("a warm-up is not one")
	}
	wantRefused := []string{
		"line 5: peak_velocity_mps: 0.8 is outside 0.9 to 8",
		"line 6: mean_velocity_mps: 0.5 m/s does not fit 0.6 m in 2 s",
		"line 7: has the set and rep of line 2",
		"line 8: mean_velocity_mps: is empty",
		`line 9: rep_time: "soon" is not a time such as 17:03:20.5`,
		`line 10: set: "" is not a number`,
	}
	if diff := cmp.Diff(wantRefused, reasons(refused)); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}

func TestARepThatIsNotTakenIsListedWithColumnAndReason(t *testing.T) {
	vitruve := func(change func(cells []string)) string {
		cells := strings.Split(strings.TrimSpace(vitruveRow("", "Deadlift", "05/06/2026", "07:46:17", 1, 1, "concentric", "0.62", "0.55", "0.98", "1090.91", "0.6", "80")), ",")
		change(cells)
		return vitruveHeader + strings.Join(cells, ",") + "\n"
	}
	openBarbell := func(row string) string { return openBarbellHeader + row }
	for _, c := range []struct{ text, want string }{
		{vitruve(func(c []string) { c[8] = "eccentric" }), "line 2: is the lowering of a rep; its lift is a row of its own"},
		{vitruve(func(c []string) { c[8] = "jump" }), `line 2: Type*: "jump" is neither concentric nor eccentric`},
		{vitruve(func(c []string) { c[31] = "" }), "line 2: Mean Velocity (m/s): is empty"},
		{vitruve(func(c []string) { c[31] = "5" }), "line 2: Mean Velocity (m/s): 5 is outside (0, 4] m/s"},
		{vitruve(func(c []string) { c[40] = "3" }), "line 2: ROM (Range of Motion) (m): 3 is outside 0.03 to 2.5"},
		{vitruve(func(c []string) { c[4] = "06/16/2026" }), `line 2: Workout Date: "06/16/2026 07:46:17" is not a date and time with the day first`},
		{vitruve(func(c []string) { c[5] = "" }), `line 2: Workout Date: "05/06/2026" has no time beside it`},
		{vitruve(func(c []string) { c[6] = "0" }), `line 2: # Set: "0" is outside 1 to 10000`},
		{vitruve(func(c []string) { c[3] = " " }), "line 2: Exercise: is empty"},
		{vitruve(func(c []string) { c[43] = "1200" }), "line 2: Weight (kg): 1200.0 kg is more than 1000 kg"},
		{vitruve(func(c []string) { c[39] = "fast" }), `line 2: Repetition Duration (ms): "fast" is not a number`},
		{openBarbell(`squat,1,1,100,stone,,,2026-03-02 18:05:00,,0.5,600,0.9,54,1.2`), `line 2: Metric: "stone" is neither kg nor lb`},
		{openBarbell(`squat,1,1,100,,,,2026-03-02 18:05:00,,0.5,600,0.9,54,1.2`), "line 2: Metric: is empty, and no unit is given for such rows"},
		{openBarbell(`squat,1,1,100,kgs,,,2026-03-02 18:05:00,,0.5,"1,228",0.9,54,1.2`), `line 2: Range of Motion (mm): "1,228" may be 1.228 or thousands`},
		{openBarbell(`squat,1,1,100,kgs,,,2026-03-02 18:05:00,long,0.5,600,0.9,54,1.2`), `line 2: Rest Time: "long" is not a rest such as 00:02:30`},
		{openBarbell(`squat,1,1,100,kgs,,,yesterday,,0.5,600,0.9,54,1.2`), `line 2: Workout Start Time: "yesterday" is not a date and time such as 2026-11-22 17:03`},
		{openBarbell(`squat,1,1,100,kgs,,,5/16/18,,0.5,600,0.9,54,1.2`), `line 2: Workout Start Time: "5/16/18" has no year of four digits`},
		{openBarbell(`"",1,1,100,kgs,,,2026-03-02 18:05:00,,0.5,600,0.9,54,1.2`), "line 2: Exercise: is empty"},
		{openBarbell(`squat,1,1,100,kgs,,,2026-03-02 18:05:00,,Infinity,600,0.9,54,1.2`), `line 2: Avg Velocity (m/s): "Infinity" is not a number`},
		{openBarbell(`squat,1,1,100,kgs`), "line 2: has 5 cells where the header has 14; a comma in a cell needs quotes around it"},
	} {
		_, refused := readReps(t, c.text, Options{Zone: time.UTC})
		if diff := cmp.Diff([]string{c.want}, reasons(refused)); diff != "" {
			t.Errorf("%s\n(-want +got):\n%s", c.text, diff)
		}
	}
}

func TestRowsOfSeveralPeopleAreNotTakenForOne(t *testing.T) {
	row := func(person, clock string) string {
		return vitruveRow(person, "Deadlift", "05/06/2026", clock, 1, 1, "concentric", "0.62", "0.55", "0.98", "", "", "80")
	}
	text := vitruveHeader + row("a@example.org", "07:46:17") + row("b@example.org", "07:50:00") + row("A@Example.org", "07:55:00")
	f, err := Open(strings.NewReader(text), Options{Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range f.Rows() {
		last = err
	}
	if !errors.Is(last, ErrPerson) || strings.Contains(last.Error(), "example.org") {
		t.Errorf("got %v, want ErrPerson that names nobody", last)
	}
	reps, refused := readReps(t, text, Options{Zone: time.UTC, Person: "a@example.org"})
	if len(reps) != 2 || len(refused) != 1 || refused[0].Line != 3 {
		t.Errorf("reps %q, refused %q", shortReps(reps), reasons(refused))
	}
	if reps, _ = readReps(t, text, Options{Zone: time.UTC, Person: "Ada Lift"}); len(reps) != 3 {
		t.Errorf("by name: %q", shortReps(reps))
	}
	tagged := openBarbellHeader + `"squat",1,1,100,kgs,,"ana,heavy","2026-03-02 18:05:00","00:00:00",0.5,600,0.9,54,1.2
"squat",2,1,100,kgs,,"ben","2026-03-02 18:05:00","00:03:00",0.5,600,0.9,54,1.2
`
	if reps, _ = readReps(t, tagged, Options{Zone: time.UTC}); len(reps) != 2 {
		t.Errorf("tags tell people apart unasked: %q", shortReps(reps))
	}
	if reps, _ = readReps(t, tagged, Options{Zone: time.UTC, Person: "Ben"}); len(reps) != 1 || reps[0].Line != 3 {
		t.Errorf("by tag: %q", shortReps(reps))
	}
	sets := setData + "1,s1,0.0,,bench,,kgs,0.0,,s1,1.0,,\"['ana ', '2 rpe']\",u1,42.5,w\n2,s2,0.0,,bench,,kgs,0.0,,s2,2.0,,['ben'],u1,42.5,w\n"
	dump := repData + rawRep("s1", 0, "True", "False", "-3456", "0.5,600,0.9", "-9999") + rawRep("s2", 0, "True", "False", "-3456", "0.5,600,0.9", "-9999")
	if reps, _ = readReps(t, dump, Options{Companion: strings.NewReader(sets), Person: "ana"}); len(reps) != 1 || reps[0].Line != 2 {
		t.Errorf("by tag of the dump: %q", shortReps(reps))
	}
	if _, err := Open(strings.NewReader("date,exercise,reps,load_kg\n"), Options{Person: "Ada Lift"}); err == nil {
		t.Error("a person was asked for in a file that names nobody")
	}
}
