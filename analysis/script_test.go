package analysis

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spotterhq/spotter/internal/lift"
)

// Rules are tested by scripts in testdata/<rule>, one line for each thing that
// happens, in the order in which it arrives. # begins a comment.
//
//	zone Europe/Berlin
//	goal speed | strength | hypertrophy
//	DATE TIME EXERCISE LOADkg [#SET] [warmup] [historical] @ 0.52 0.50 0.41!
//	                         one set, a rep every 4 s; ! failed; - for no exercise, ?kg for no load
//	DATE TIME EXERCISE LOADkg SETSxREPS
//	                         sets of reps at 0.50 m/s, every 3 minutes
//	DATE TIME rep N invalid | REP's velocity | LOADkg
//	                         corrects the N-th rep of the line that began at that time
//	DATE TIME PHASE [pain N] [SYMPTOM …]
//	DATE TIME now            judges, as Judge and as a Lifter that was fed line by line
//	also RULE …              findings of these rules are compared too, beside those of the folder's
//	expect RULE SEVERITY VALUE UNIT limit LIMIT WHAT WHEN
//	                         one line for each finding of the latest now, in order; expect nothing
//
// Times are local. WHEN is the week, the date, or the first rep's time.
func TestRuleScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/"), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			runScript(t, filepath.Base(filepath.Dir(file)), string(text))
		})
	}
}

type script struct {
	watcher *watcher
	zone    *time.Location
	lines   map[string][]string // ids of the reps of a line, by its time
	seq     int64
	judged  []string // findings of the latest now
	want    []string
	open    bool // expectations have not been compared yet
	rules   []string
}

func runScript(t *testing.T, rule, text string) {
	s := &script{zone: time.UTC, lines: map[string][]string{}, rules: []string{rule}}
	s.watcher = watch(Settings{}, time.Time{})
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "# ")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if words[0] != "expect" {
			s.compare(t, i)
		}
		if err := s.run(words); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
	}
	s.compare(t, strings.Count(text, "\n"))
}

func (s *script) compare(t *testing.T, line int) {
	if !s.open {
		return
	}
	if d := cmp.Diff(s.want, s.judged); d != "" {
		t.Errorf("before line %d, - expected, + found:\n%s", line+1, d)
	}
	s.open, s.want = false, nil
}

func (s *script) run(words []string) error {
	switch words[0] {
	case "zone":
		zone, err := time.LoadLocation(words[1])
		s.zone = zone
		s.watcher = watch(Settings{Zone: zone}, time.Time{})
		return err
	case "goal":
		s.watcher = watch(Settings{Zone: s.zone, Goal: Goal(words[1])}, time.Time{})
		return nil
	case "also":
		s.rules = append(s.rules, words[1:]...)
		return nil
	case "expect":
		if !s.open {
			return fmt.Errorf("expect without now")
		}
		if words[1] != "nothing" {
			s.want = append(s.want, strings.Join(words[1:], " "))
		}
		return nil
	}
	if len(words) < 3 {
		return fmt.Errorf("want a date, a time and what happened: %q", words)
	}
	layout := "2006-01-02 15:04"
	if strings.Count(words[1], ":") == 2 {
		layout += ":05"
	}
	at, err := time.ParseInLocation(layout, words[0]+" "+words[1], s.zone)
	if err != nil {
		return err
	}
	switch key := words[0] + " " + words[1]; words[2] {
	case "now":
		return s.judge(at)
	case "rep":
		return s.correct(s.lines[key], words[3:])
	case "before", "during", "after", "next_morning", "daily":
		return s.checkIn(at, words[2:])
	default:
		return s.sets(at, key, words[2:])
	}
}

func (s *script) sets(at time.Time, key string, words []string) error {
	r := lift.RepRecord{
		Site: "main", Device: "bar-1", Valid: true,
		Rep: lift.Rep{BootID: "b1", Athlete: "ana", Exercise: lift.ExerciseID(words[0]), MeanVelocity: 0.50},
	}
	if words[0] == "-" {
		r.Exercise = ""
	}
	load, ok := strings.CutSuffix(words[1], "kg")
	if !ok {
		return fmt.Errorf("%q is not a load", words[1])
	}
	if load != "?" {
		kg, err := strconv.ParseFloat(load, 64)
		if err != nil {
			return err
		}
		r.LoadKg = &kg
	}
	add := func(at time.Time) {
		s.seq++
		r.Seq, r.LogSeq, r.Time, r.Received = s.seq, uint64(s.seq), at.UTC(), at.UTC()
		r.ID = lift.RepID(r.Site, r.Device, r.BootID, r.Seq)
		s.lines[key] = append(s.lines[key], r.ID)
		s.watcher.rep(r)
	}
	for i, w := range words[2:] {
		switch number, isSet := strings.CutPrefix(w, "#"); {
		case isSet:
			n, err := strconv.Atoi(number)
			if err != nil {
				return err
			}
			r.Set = &n
		case w == "warmup":
			r.Warmup = true
		case w == "historical":
			r.Historical = true
		case w == "@":
			for k, v := range words[2+i+1:] {
				v, r.Failed = strings.CutSuffix(v, "!")
				mps, err := strconv.ParseFloat(v, 64)
				if err != nil {
					return err
				}
				r.MeanVelocity = mps
				add(at.Add(time.Duration(4*k) * time.Second))
			}
			return nil
		default:
			var sets, reps int
			if _, err := fmt.Sscanf(w, "%dx%d", &sets, &reps); err != nil {
				return fmt.Errorf("%q: %w", w, err)
			}
			for n := range sets {
				for k := range reps {
					add(at.Add(time.Duration(n)*3*time.Minute + time.Duration(4*k)*time.Second))
				}
			}
		}
	}
	return nil
}

func (s *script) correct(ids, words []string) error {
	n, err := strconv.Atoi(words[0])
	if err != nil || n > len(ids) {
		return fmt.Errorf("no rep %q in a line of that time", words[0])
	}
	r := s.watcher.view.reps[ids[n-1]]
	r.Revision++
	if kg, isLoad := strings.CutSuffix(words[1], "kg"); isLoad {
		var v float64
		v, err = strconv.ParseFloat(kg, 64)
		r.LoadKg = &v
	} else if words[1] == "invalid" {
		r.Valid = false
	} else {
		r.MeanVelocity, err = strconv.ParseFloat(words[1], 64)
	}
	s.watcher.rep(r)
	return err
}

func (s *script) checkIn(at time.Time, words []string) error {
	c := lift.CheckInRecord{
		ID: lift.CheckInID("ana", at, lift.Phase(words[0])), Site: "main", Athlete: "ana",
		CheckIn: lift.CheckIn{Time: at.UTC(), Phase: lift.Phase(words[0])},
	}
	for i := 1; i < len(words); i++ {
		if words[i] == "pain" && i+1 < len(words) {
			n, err := strconv.Atoi(words[i+1])
			if err != nil {
				return err
			}
			c.Pain = &n
			i++
			continue
		}
		c.Symptoms = append(c.Symptoms, lift.Symptom(words[i]))
	}
	if old, ok := s.watcher.view.checkIns[c.ID]; ok {
		c.Revision = old.Revision + 1
	}
	if err := c.Validate(at); err != nil {
		return err
	}
	s.watcher.checkIn(c)
	return nil
}

func (s *script) judge(at time.Time) error {
	s.watcher.evaluate(at)
	want := Judge(s.watcher.view.history(time.Time{}, time.Time{}), s.watcher.settings, s.watcher.now)
	if d := cmp.Diff(want, s.watcher.findings(), asTold); d != "" {
		return fmt.Errorf("- Judge, + Lifter:\n%s", d)
	}
	s.judged, s.open = nil, true
	for _, f := range want {
		if err := checkTexts(&f); err != nil {
			return err
		}
		if !slices.Contains(s.rules, string(f.Rule)) {
			continue
		}
		when := f.Window.ID
		if f.Window.Kind == lift.WindowSet || f.Window.Kind == lift.WindowCheckIn {
			when = f.Window.From.In(s.zone).Format("2006-01-02T15:04")
		}
		s.judged = append(s.judged, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s limit %s %s %s %s",
			f.Rule, f.Severity, decimal(f.Evidence.Value), f.Evidence.Unit, decimal(f.Evidence.Threshold),
			about(f), f.Evidence.Metric, when)), " "))
	}
	return nil
}

func about(f lift.Finding) string {
	if f.Exercise != "" {
		return string(f.Exercise)
	}
	return f.Group
}

// checkTexts demands of every finding that it says what was seen, from which
// source and what to do, and nothing of risk.
func checkTexts(f *lift.Finding) error {
	all := strings.Join([]string{f.Title, f.Message, f.Advice, f.Evidence.ExpectedFalseAlarms, f.Source.Says}, "\n")
	for _, bad := range []string{"injury risk", "NaN", "%!", "Inf", "  "} {
		if strings.Contains(all, bad) {
			return fmt.Errorf("%s says %q:\n%s", f.Rule, bad, all)
		}
	}
	for name, text := range map[string]string{
		"title": f.Title, "message": f.Message, "advice": f.Advice, "false alarms": f.Evidence.ExpectedFalseAlarms,
		"unit": f.Evidence.Unit, "reference": f.Evidence.Reference, "confidence": f.Evidence.Confidence,
		"source": f.Source.Says, "citation": f.Source.Citation, "source kind": f.Source.Kind,
	} {
		if text == "" {
			return fmt.Errorf("%s has no %s", f.Rule, name)
		}
	}
	return lift.CheckID("id", f.ID)
}
