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
// happens, in the order in which it arrives. "# " begins a comment.
//
// What a coach decides for the athlete; a line later in the script changes it for
// the whole history:
//
//	zone Europe/Berlin
//	goal speed | strength | hypertrophy
//	born 2010                year of birth
//	maximum EXERCISE 200kg   known one repetition maximum
//	minimum EXERCISE 0.20    own mean velocity at the maximum
//	deload 2026-W47 …        weeks planned to be light
//	test 2026-W47 …          weeks with a meet or a test of the maximum
//	limit RULE NAME VALUE …  a limit by its names in JSON
//
// What happens:
//
//	DATE TIME EXERCISE LOADkg [#SET] [warmup] [historical] [segmented] [on DEVICE] [received 125s] @ 0.52 0.50 0.41!
//	                         one set, a rep every 4 s; ! failed; - for no exercise, ?kg for no load;
//	                         received so long after its time
//	… @ 0.52 0.50 rom 0.55 0.54 ecc 3
//	                         more of each rep: rom, ecc, peak, drift, tilt, ratio, flexion; a single
//	                         value is that of all reps; - for none
//	DATE TIME EXERCISE LOADkg [as above] SETSxREPS
//	                         sets of reps at 0.50 m/s, every 3 minutes
//	DATE TIME logged EXERCISE LOADkg [warmup] SETSxREPS
//	                         sets of a training log, without velocity, every 3 minutes
//	DATE TIME rep N invalid | REP's velocity | LOADkg | rom VALUE and so on
//	                         corrects the N-th rep of the line that began at that time
//	DATE TIME PHASE [pain N] [sleep HOURS] [nutrition N] [stiff MINUTES] [SYMPTOM …]
//	                         a check-in; one of the same time and phase corrects it
//	DATE TIME plan start [180kg] [week 5000kg]
//	                         begins the return plan: maximum and weekly volume before the injury
//	DATE TIME plan hold | release | advance | repeat | end
//	DATE TIME limit RULE NAME VALUE …
//	DATE TIME goal speed | strength | hypertrophy
//	                         a coach's change, which counts from that date on
//
// What is found:
//
//	DATE TIME now            judges, as Judge and as a Lifter that was fed line by line
//	also RULE …              findings of these rules are compared too, beside those of the folder's
//	expect RULE SEVERITY VALUE UNIT limit LIMIT WHAT METRIC WHEN
//	                         one line for each finding of the latest now, in order; expect nothing;
//	                         at its end provisional or full demands that confidence too
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

// severities are those that each rule can have. Its scripts must show them all.
var severities = map[lift.Rule][]lift.Severity{
	WeeklyVolume:    {lift.Advice, lift.Warning, lift.Critical},
	WeeklyLoad:      {lift.Advice, lift.Warning},
	SessionSpike:    {lift.Info, lift.Advice, lift.Warning},
	HeavyFrequency:  {lift.Info, lift.Advice, lift.Warning, lift.Critical},
	VelocityLoss:    {lift.Advice, lift.Warning},
	Grind:           {lift.Advice, lift.Warning},
	SetDrop:         {lift.Info, lift.Advice, lift.Warning},
	DaySlowdown:     {lift.Advice, lift.Warning},
	RedFlag:         {lift.Urgent},
	Radicular:       {lift.Critical},
	Inflammatory:    {lift.Info, lift.Advice},
	PainZone:        {lift.Info, lift.Advice, lift.Warning, lift.Critical},
	Hold:            {lift.Warning, lift.Critical},
	PainPersistence: {lift.Advice, lift.Warning},
	ReturnPlan:      {lift.Info, lift.Advice, lift.Warning},
	Tempo:           {lift.Advice},
	WarmUp:          {lift.Advice},
	Accessory:       {lift.Info},
	Technique:       {lift.Advice, lift.Warning},
	Device:          {lift.Advice},
}

// Every rule has a folder of scripts, in which each of its severities comes up and
// no other one does.
func TestEveryRuleHasScripts(t *testing.T) {
	for _, rule := range Rules() {
		files, err := filepath.Glob("testdata/" + string(rule) + "/*.txt")
		if err != nil || len(files) == 0 {
			t.Errorf("%s has no scripts", rule)
			continue
		}
		seen := map[lift.Severity]bool{}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(text)) {
				if words := strings.Fields(line); len(words) > 2 && words[0] == "expect" && words[1] == string(rule) {
					seen[lift.Severity(words[2])] = true
				}
			}
		}
		want := map[lift.Severity]bool{}
		for _, s := range severities[rule] {
			want[s] = true
		}
		if d := cmp.Diff(want, seen); d != "" {
			t.Errorf("severities of %s, - possible, + in scripts:\n%s", rule, d)
		}
	}
}

type script struct {
	watcher *watcher
	zone    *time.Location
	lines   map[string][]string // ids of the reps of a line, by its time
	seq     int64
	judged  []string // findings of the latest now
	sure    []string // and their confidence
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
	for i := range min(len(s.want), len(s.judged)) {
		if strings.HasSuffix(s.want[i], " "+full) || strings.HasSuffix(s.want[i], " "+provisional) {
			s.judged[i] += " " + s.sure[i]
		}
	}
	if d := cmp.Diff(s.want, s.judged); d != "" {
		t.Errorf("before line %d, - expected, + found:\n%s", line+1, d)
	}
	s.open, s.want = false, nil
}

func (s *script) run(words []string) error {
	switch words[0] {
	case "zone", "goal", "born", "maximum", "minimum", "deload", "test", "limit":
		if len(words) < 2 {
			return fmt.Errorf("%s of what?", words[0])
		}
		if err := s.set(words[0], words[1:]); err != nil {
			return err
		}
		s.watcher.load(time.Time{})
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
	case "plan":
		return s.plan(at, words[3:])
	case "limit", "goal":
		return s.change(at, words[2], words[3:])
	case "logged":
		return s.logged(at, words[3:])
	default:
		return s.sets(at, key, words[2:])
	}
}

func (s *script) set(what string, words []string) error {
	settings := &s.watcher.settings
	switch what {
	case "zone":
		zone, err := time.LoadLocation(words[0])
		s.zone, settings.Zone = zone, zone
		return err
	case "goal":
		settings.Goal = Goal(words[0])
		return nil
	case "born":
		year, err := strconv.Atoi(words[0])
		settings.Born = year
		return err
	case "deload":
		settings.Deloads = append(slices.Clone(settings.Deloads), words...)
		return nil
	case "test":
		settings.Tests = append(slices.Clone(settings.Tests), words...)
		return nil
	}
	if len(words) < 2 {
		return fmt.Errorf("%s %s is not enough", what, words[0])
	}
	exercise := lift.ExerciseID(words[0])
	switch what {
	case "maximum":
		kg, err := kilogramsOf(words[1])
		settings.Maximum = with(settings.Maximum, exercise, kg)
		return err
	case "minimum":
		mps, err := strconv.ParseFloat(words[1], 64)
		settings.MinVelocity = with(settings.MinVelocity, exercise, mps)
		return err
	}
	if settings.Limits == (Limits{}) {
		settings.Limits = DefaultLimits()
	}
	var err error
	settings.Limits, err = limited(settings.Limits, words)
	return err
}

// limited are the limits with a rule's limit of that name changed.
func limited(l Limits, words []string) (Limits, error) {
	if len(words) < 3 {
		return l, fmt.Errorf("%q: want a rule, a name and a value", words)
	}
	value := strings.Join(words[2:], ",")
	if len(words) > 3 {
		value = "[" + value + "]"
	}
	return MergeLimits(l, fmt.Appendf(nil, "{%q:{%q:%s}}", words[0], words[1], value))
}

func (s *script) change(at time.Time, what string, words []string) (err error) {
	t := s.watcher.settings.At(at)
	t.From = at
	if what == "goal" {
		t.Goal = Goal(words[0])
	} else if t.Limits, err = limited(t.Limits, words); err != nil {
		return err
	}
	s.watcher.change(t)
	return nil
}

// with is the map with one more entry; Lifters hold the old one.
func with(old map[lift.ExerciseID]float64, id lift.ExerciseID, value float64) map[lift.ExerciseID]float64 {
	all := map[lift.ExerciseID]float64{id: value}
	for k, v := range old {
		if k != id {
			all[k] = v
		}
	}
	return all
}

func kilogramsOf(word string) (float64, error) {
	number, ok := strings.CutSuffix(word, "kg")
	if !ok {
		return 0, fmt.Errorf("%q is not a load", word)
	}
	return strconv.ParseFloat(number, 64)
}

// columns are what a set's line can tell of each rep beside its velocity.
var columns = map[string]func(*lift.Rep) **float64{
	"rom":     func(r *lift.Rep) **float64 { return &r.ROM },
	"ecc":     func(r *lift.Rep) **float64 { return &r.Eccentric },
	"peak":    func(r *lift.Rep) **float64 { return &r.PeakVelocity },
	"drift":   func(r *lift.Rep) **float64 { return &r.BarDrift },
	"tilt":    func(r *lift.Rep) **float64 { return &r.BarTilt },
	"ratio":   func(r *lift.Rep) **float64 { return &r.HipShoulderRatio },
	"flexion": func(r *lift.Rep) **float64 { return &r.TrunkFlexion },
}

func (s *script) sets(at time.Time, key string, words []string) error {
	r := lift.RepRecord{
		Site: "main", Device: "bar-1", Valid: true,
		Rep: lift.Rep{BootID: "b1", Athlete: "ana", Exercise: lift.ExerciseID(words[0]), MeanVelocity: 0.50},
	}
	if words[0] == "-" {
		r.Exercise = ""
	}
	if len(words) < 3 {
		return fmt.Errorf("%q: want a load and sets or velocities", words)
	}
	if words[1] != "?kg" {
		kg, err := kilogramsOf(words[1])
		if err != nil {
			return err
		}
		r.LoadKg = &kg
	}
	late := time.Duration(0)
	add := func(at time.Time) {
		s.seq++
		r.Seq, r.LogSeq, r.Time, r.Received = s.seq, uint64(s.seq), at.UTC(), at.Add(late).UTC()
		r.ID = lift.RepID(r.Site, r.Device, r.BootID, r.Seq)
		s.lines[key] = append(s.lines[key], r.ID)
		s.watcher.rep(r)
	}
	for i := 2; i < len(words); i++ {
		w := words[i]
		number, isSet := strings.CutPrefix(w, "#")
		var err error
		switch {
		case isSet:
			n := 0
			n, err = strconv.Atoi(number)
			r.Set = &n
		case w == "warmup":
			r.Warmup = true
		case w == "historical":
			r.Historical = true
		case w == "segmented":
			r.Source = lift.SourceSegmented
		case w == "on" && i+1 < len(words):
			i++
			r.Device = lift.DeviceID(words[i])
		case w == "received" && i+1 < len(words):
			i++
			late, err = time.ParseDuration(words[i])
		case w == "@":
			return s.reps(at, words[i+1:], &r, add)
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
		if err != nil {
			return err
		}
	}
	return nil
}

// reps adds the reps of one set, given by columns.
func (s *script) reps(at time.Time, words []string, r *lift.RepRecord, add func(time.Time)) error {
	in := "velocity"
	of := map[string][]string{}
	for _, w := range words {
		if _, ok := columns[w]; ok {
			in = w
			continue
		}
		of[in] = append(of[in], w)
	}
	for k, v := range of["velocity"] {
		v, r.Failed = strings.CutSuffix(v, "!")
		mps, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return err
		}
		r.MeanVelocity = mps
		for name, field := range columns {
			values := of[name]
			switch {
			case len(values) == 0:
				continue
			case len(values) == 1:
				err = give(field(&r.Rep), values[0])
			case len(values) == len(of["velocity"]):
				err = give(field(&r.Rep), values[k])
			default:
				err = fmt.Errorf("%d values of %s for %d reps", len(values), name, len(of["velocity"]))
			}
			if err != nil {
				return err
			}
		}
		add(at.Add(time.Duration(4*k) * time.Second))
	}
	return nil
}

func give(field **float64, word string) error {
	*field = nil
	if word == "-" {
		return nil
	}
	v, err := strconv.ParseFloat(word, 64)
	*field = &v
	return err
}

func (s *script) logged(at time.Time, words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("%q: want an exercise, a load and sets", words)
	}
	l := lift.LoggedSet{Site: "main", Athlete: "ana", Exercise: lift.ExerciseID(words[0])}
	if words[1] != "?kg" {
		kg, err := kilogramsOf(words[1])
		if err != nil {
			return err
		}
		l.LoadKg = &kg
	}
	for _, w := range words[2:] {
		if w == "warmup" {
			l.Warmup = true
			continue
		}
		var sets int
		if _, err := fmt.Sscanf(w, "%dx%d", &sets, &l.Reps); err != nil {
			return fmt.Errorf("%q: %w", w, err)
		}
		for n := range sets {
			l.Time = at.Add(time.Duration(n) * 3 * time.Minute).UTC()
			l.ID = fmt.Sprintf("row-%d", len(s.watcher.view.logged)+1)
			s.watcher.view.logged[l.ID] = l
			s.watcher.see(l.Time)
		}
	}
	s.watcher.evaluate(s.watcher.now)
	s.watcher.load(at)
	return nil
}

func (s *script) plan(at time.Time, words []string) error {
	if len(words) == 0 {
		return fmt.Errorf("plan what?")
	}
	step := lift.PlanStep{Verb: lift.PlanVerb(words[0]), At: at.UTC(), By: "coach"}
	switch step.Verb {
	case lift.PlanHold, lift.PlanRelease, lift.PlanStart, lift.PlanAdvance, lift.PlanRepeat, lift.PlanEnd:
	default:
		return fmt.Errorf("nobody can %q a plan", words[0])
	}
	week := false
	for _, w := range words[1:] {
		if w == "week" {
			week = true
			continue
		}
		kg, err := kilogramsOf(w)
		if err != nil {
			return err
		}
		if week {
			step.PreInjuryWeekKg = &kg
		} else {
			step.PreInjuryKg = &kg
		}
	}
	s.watcher.step(step)
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
	} else if field, ok := columns[words[1]]; ok && len(words) > 2 {
		err = give(field(&r.Rep), words[2])
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
		var err error
		var n int
		var v float64
		switch w := words[i]; w {
		case "pain", "nutrition", "sleep", "stiff":
			if i++; i == len(words) {
				return fmt.Errorf("%s without a number", w)
			}
			switch w {
			case "pain":
				n, err = strconv.Atoi(words[i])
				c.Pain = &n
			case "nutrition":
				n, err = strconv.Atoi(words[i])
				c.Nutrition = &n
			case "sleep":
				v, err = strconv.ParseFloat(words[i], 64)
				c.SleepH = &v
			case "stiff":
				v, err = strconv.ParseFloat(words[i], 64)
				c.StiffMorningMin = &v
			}
		default:
			c.Symptoms = append(c.Symptoms, lift.Symptom(w))
		}
		if err != nil {
			return err
		}
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
	s.judged, s.sure, s.open = nil, nil, true
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
		s.sure = append(s.sure, f.Evidence.Confidence)
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
