package exercise

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

const drag = `{"id": "plate_drag", "name": "Plate drag", "pattern": "carry", "spinal_load": "low"}`

func TestReadTakesASitesFile(t *testing.T) {
	got, err := Read(strings.NewReader("\ufeff[\n" + drag + ",\n" +
		`{"id":"our-lift","name":"Our lift","aliases":["OL"],"group":"squat_family","pattern":"squat","spinal_load":"high","posterior_chain":true,
		"min_velocity_mps":0.3,"min_velocity_source":"tested here","slope_pct_per_mps":70,"slope_source":"tested here"}` + "\n]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]lift.Exercise{
		{ID: "plate_drag", Name: "Plate drag", Pattern: "carry", SpinalLoad: "low"},
		{ID: "our-lift", Name: "Our lift", Aliases: []string{"OL"}, Group: "squat_family", Pattern: "squat", SpinalLoad: "high", PosteriorChain: true,
			MinVelocity: new(0.3), MinVelocitySource: "tested here", Slope: new(70.), SlopeSource: "tested here"},
	}, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadNamesLineAndField(t *testing.T) {
	with := func(change ...string) string {
		return "[\n" + drag + ",\n" + strings.NewReplacer(change...).Replace(drag) + "]"
	}
	for _, c := range []struct{ file, want string }{
		{"", "exercises are a JSON list"},
		{"\n\n" + drag, "exercises are a JSON list"},
		{"[", "does not end"},
		{"[" + drag, "does not end"},
		{"[" + drag + "\n," + drag[:20], "does not end"},
		{"[\n" + drag + "\n" + drag + "]", "line 3: is not JSON"},
		{"[" + drag + "]\n]", "line 1: something stands behind"},
		{with(`"name"`, `"id"`), `line 3: is not JSON: duplicate object member name`},
		{with(`"pattern"`, `"patern"`), `line 3: exercise "plate_drag": patern: is no field of an exercise`},
		{with(`"carry"`, `7`), `line 3: exercise "plate_drag": pattern: cannot be a number`},
		{with(`"carry"`, `"carry", "aliases": ["a", 2]`), `line 3: exercise "plate_drag": aliases.1: cannot be a number`},
		{with(`"carry"`, `"carry", "aliases": ["a", "!"]`), `line 3: exercise "plate_drag": aliases[1]: has no letter`},
		{with(`"carry"`, `"carried"`), `line 3: exercise "plate_drag": pattern: "carried" is none of`},
		{with(`"plate_drag"`, `""`), `line 3: exercise "": id: is missing`},
		{with(`"Plate drag"`, `"\ud800"`), "line 3: is not JSON"},
		{"[7]", `line 1: exercise "": cannot be a number`},
		{"[" + strings.Repeat(" ", maxFile) + "]", "longer than"},
	} {
		got, err := Read(strings.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) || got != nil {
			t.Errorf("%.80q: error %q, want %q", c.file, err, c.want)
		}
	}
	_, err := Read(strings.NewReader(with(`"carry"`, `"x"`, `"low"`, `"y"`)))
	if _, ok := errors.AsType[*lift.FieldError](err); !ok || strings.Count(err.Error(), "line 3: ") != 2 {
		t.Errorf("two mistakes are told as %q", err)
	}
}

type brokenFile struct{}

var errDisk = errors.New("disk")

func (brokenFile) Read([]byte) (int, error) { return 0, errDisk }

func TestReadTellsThatAFileCannotBeRead(t *testing.T) {
	if _, err := Read(brokenFile{}); !errors.Is(err, errDisk) {
		t.Errorf("error %v", err)
	}
}

// FuzzRead: what is read once is read again the same, and no entry breaks a
// catalogue without an error.
func FuzzRead(f *testing.F) {
	f.Add([]byte("[" + drag + "]"))
	f.Add([]byte("[" + drag + "," + drag + "]"))
	f.Add([]byte(`[{"id":"a","name":"A (b)","aliases":["b a"],"group":"deadlift","pattern":"core","spinal_load":"none"}]`))
	f.Add([]byte("[{}]"))
	f.Add([]byte("[null"))
	f.Add(standard[:bytes.IndexByte(standard[2:], '\n')])
	known := Standard()
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := Read(bytes.NewReader(data))
		if err != nil {
			if first != nil || err.Error() == "" {
				t.Fatalf("%d entries beside error %q", len(first), err)
			}
			return
		}
		if first == nil {
			first = []lift.Exercise{}
		}
		written, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Read(bytes.NewReader(written))
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if len(first) > 0 && !cmp.Equal(first, again) {
			t.Fatal(cmp.Diff(first, again))
		}
		c, err := known.With(first)
		if err != nil {
			return
		}
		for _, e := range first {
			byName, ok := c.Match(e.Name)
			byID, known := c.Get(e.ID)
			if !ok || !known || byName.ID != byID.ID {
				t.Fatalf("%q is %q by its name and %q by its id", e.ID, byName.ID, byID.ID)
			}
		}
	})
}
