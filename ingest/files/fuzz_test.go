package files

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func FuzzOpen(f *testing.F) {
	f.Add(firstExport, "")
	f.Add("\uFEFFdate;exercise;reps;load_kg\n2026-03-02;Squat;5;\"102,5\"\n", "")
	f.Add("date,exercise,equipment,variant,set1weight,set1reps\n2026-03-02,squat,barbell,low bar,25,25,4\n", "")
	f.Add("start_time,exercise_title,set_index,set_type,weight_lbs,reps\n\"2 Mar 2026, 18:05\",Squat,0,normal,100,5\n", "")
	f.Add("Date,Exercise,Category,Weight (kg),Weight (lbs),Reps\n2026-03-02,Squat,Legs,,225,5\n", "")
	f.Add("Date,Exercise,Set,Weight (lbs),Reps,Set Avg Mean Velocity (m/s)\n03/13/2026,Squat,1,225,5,0.6\n", "")
	f.Add("date,time,exercise,set,rep,load_kg,mean_velocity_mps,rom_m,concentric_s,rep_time\n2026-03-02,18:05,Squat,1,1,100,0.5,0.6,1.2,18:05:07.5\n", "")
	f.Add(vitruveHeader+vitruveRow("a@example.org", "Deadlift", "05/06/2026", "07:46:17", 1, 1, "concentric", "0.62", "0.55", "0.98", "1090.91", "0.6", "80"), "")
	f.Add(openBarbellHeader+"squat,1,1,100,kgs,,,\"5/16/2018, 5:37:11 PM\",00:03:00,0.5,600,0.9,54,1.2\n", "")
	f.Add(kratosHeader+strings.Repeat("row,1,1,,kgs,,,2026-03-02 18:05:00,,0.5,600,0.9,812,1.2,,,,,,,0.4,600,0.8,,1.5,,,,,,,", 2), "")
	f.Add(repData+rawRep("s1", 0, "True", "False", "-3456", "0.5,600,0.9", "-9999"), setData+"1,s1,0.0,,bench ,2026-03-02T17:05:00Z,kgs,0.0,,s1,18.0,,,u1,42.5,w\n")
	f.Add(`{"reference":1,"recorded":1772471100,"exerciseName":"Squat","barWeight":100,"reps":[{"REPNUM":1,"Mean Velocity":0.5}]}`, "")
	f.Add(`{"reference":1,"recorded":1772471100,"exerciseName":"Squat","barWeight":100,"repCount":5,"meanVelocity":0.5}`, "")
	f.Fuzz(func(t *testing.T, text, second string) {
		options := func() Options {
			o := Options{Unit: Kilograms, Zone: time.UTC, Dates: DayFirst}
			if second != "" {
				o.Companion = strings.NewReader(second)
			}
			return o
		}
		first, err := everything(text, options())
		if err != nil {
			return
		}
		again, err := everything(text, options())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, again, cmpopts.EquateApproxTime(0)); diff != "" {
			t.Fatalf("read again (-first +again):\n%s", diff)
		}
		seen := map[string]bool{}
		for _, r := range first {
			id := ""
			switch {
			case (r.Set == nil) == (r.Rep == nil):
				t.Fatalf("neither a set nor a rep, or both: %+v", r)
			case r.Set != nil:
				s := *r.Set
				id = s.ID
				if s.Exercise == "" || s.Line < 1 || s.Reps < 0 || (s.LoadKg != nil && !(*s.LoadKg >= 0 && *s.LoadKg <= 1000)) {
					t.Fatalf("implausible: %s", short(s))
				}
			default:
				e := *r.Rep
				id = fmt.Sprint(e.BootID, e.Seq)
				if err := e.Validate(e.Time); err != nil || e.Exercise == "" || e.Line < 1 {
					t.Fatalf("implausible: %s: %v", shortRep(e), err)
				}
			}
			if seen[id] {
				t.Fatalf("two rows have the id %s", id)
			}
			seen[id] = true
		}
	})
}

// everything is what a file tells, or why it cannot be opened. It panics on an error
// that is neither a row's nor one of those that end a file.
func everything(text string, o Options) ([]Row, error) {
	f, err := Open(strings.NewReader(text), o)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for r, err := range f.Rows() {
		if row, ok := errors.AsType[*RowError](err); ok {
			if row.Line < 1 || row.Reason == "" {
				panic(fmt.Sprintf("a row's error without line or reason: %+v", row))
			}
			continue
		}
		if err != nil {
			if !ends(err) && !errors.Is(err, ErrLong) {
				panic(err)
			}
			break
		}
		rows = append(rows, r)
	}
	return rows, nil
}
