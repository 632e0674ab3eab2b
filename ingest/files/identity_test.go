package files

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func ids(sets []Set) map[string]string {
	all := map[string]string{}
	for _, s := range sets {
		all[s.ID] = fmt.Sprintf("%s %s %d", s.Time.Format("01-02"), s.Exercise, s.Reps)
	}
	return all
}

const firstExport = `Date,Workout Name,Exercise Name,Set Order,Weight,Reps
2026-03-02 18:05:00,A,Squat,W,60,8
2026-03-02 18:05:00,A,Squat,W,80,6
2026-03-02 18:05:00,A,Squat,1,100,5
2026-03-02 18:05:00,A,Squat,2,100,4
2026-03-02 18:05:00,A,Squat,1,60,12
`

func TestALaterExportRepeatsTheIdsOfWhatItOverlaps(t *testing.T) {
	o := Options{Unit: Kilograms, Zone: time.UTC}
	_, first, _ := read(t, firstExport, o)
	_, again, _ := read(t, firstExport, o)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the same file again (-first +again):\n%s", diff)
	}
	if len(ids(first)) != 5 {
		t.Fatalf("five sets share ids: %v", ids(first))
	}

	// Newest first, with another separator and a unit in each row, read with another
	// zone, and one set edited.
	_, later, refused := read(t, `Date;Workout Name;Exercise Name;Set Order;Weight;Weight Unit;Reps
2026-03-05 18:05:00;B;Squat;1;105;kg;5
2026-03-02 18:05:00;renamed;Squat;W;60;kg;8
2026-03-02 18:05:00;renamed;Squat;W;80;kg;6
2026-03-02 18:05:00;renamed;Squat;1;100;kg;5
2026-03-02 18:05:00;renamed;Squat;2;110;kg;3
2026-03-02 18:05:00;renamed;Squat;1;60;kg;12
2026-03-02 18:05:00;renamed;Bench;1;60;kg;12
`, Options{Zone: berlin(t)})
	if len(later) != 7 || len(refused) > 0 {
		t.Fatalf("sets %q, refused %q", shorts(later), reasons(refused))
	}
	want := ids(first)
	want[later[0].ID] = "03-05 Squat 5"
	want[later[6].ID] = "03-02 Bench 12"
	want[first[3].ID] = "03-02 Squat 3" // edited: the same set
	if diff := cmp.Diff(want, ids(later)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func TestASecondCopyOfAWorkoutInOneFileDoesNotCountTwice(t *testing.T) {
	_, rows, _ := strings.Cut(firstExport, "\n")
	_, sets, refused := read(t, firstExport+"2026-03-05 18:05:00,B,Squat,1,100,5\n"+rows, Options{Unit: Kilograms, Zone: time.UTC})
	if len(sets) != 6 || len(refused) != 5 {
		t.Fatalf("sets %q, refused %q", shorts(sets), reasons(refused))
	}
	if want := "line 8: has the workout, exercise and set of line 2"; refused[0].Error() != want {
		t.Errorf("got %q, want %q", refused[0], want)
	}
}

func TestSetsWithoutNumbersInAnyOrderAreAllDifferent(t *testing.T) {
	_, sets, refused := read(t, `date,exercise,reps,load_kg
2026-03-02,Squat,5,100
2026-03-02,Squat,5,100
2026-03-05,Squat,5,100
2026-03-02,Squat,5,100
`, Options{Zone: time.UTC})
	if len(ids(sets)) != 4 || len(refused) > 0 {
		t.Errorf("sets %v, refused %q", ids(sets), reasons(refused))
	}
}

func TestTheOrderOfRowsChangesNoRep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows []string
		for i := range rapid.IntRange(1, 40).Draw(t, "rows") {
			rows = append(rows, vitruveRow("", rapid.SampledFrom([]string{"Deadlift", "Squat"}).Draw(t, "exercise"), "05/06/2026",
				fmt.Sprintf("07:%02d:00", i/6), i/6+1, i%6+1, "concentric", "", fmt.Sprintf("0.%d", rapid.IntRange(10, 99).Draw(t, "mean")), "", "", "", "80"))
		}
		told := func(rows []string) map[string]string {
			f, err := Open(strings.NewReader(vitruveHeader+strings.Join(rows, "")), Options{Zone: time.UTC})
			if err != nil {
				t.Fatal(err)
			}
			all := map[string]string{}
			for row, err := range f.Rows() {
				if err != nil {
					t.Fatal(err)
				}
				r := *row.Rep
				r.Line = 0
				all[fmt.Sprint(r.BootID, r.Seq)] = shortRep(r)
			}
			return all
		}
		first := told(rows)
		if diff := cmp.Diff(first, told(rapid.Permutation(slices.Clone(rows)).Draw(t, "shuffled"))); diff != "" || len(first) != len(rows) {
			t.Fatalf("%d rows, %d reps (-in order +shuffled):\n%s", len(rows), len(first), diff)
		}
	})
}
