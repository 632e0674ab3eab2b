package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/lift"
)

// gymAwareSet is a set as the API of GymAware Cloud answers it, as far as it is read.
type gymAwareSet struct {
	Reference        jsontext.Value              `json:"reference"`
	Recorded         *float64                    `json:"recorded"` // seconds since 1970
	AthleteReference jsontext.Value              `json:"athleteReference"`
	AthleteName      string                      `json:"athleteName"`
	ExerciseName     string                      `json:"exerciseName"`
	Deleted          bool                        `json:"deleted"`
	BarWeight        *float64                    `json:"barWeight"`    // kg
	RepCount         *float64                    `json:"repCount"`     // of summaries, as the next
	MeanVelocity     *float64                    `json:"meanVelocity"` // of the best rep
	Reps             []map[string]jsontext.Value `json:"reps"`
}

// The keys that make an object one of a format.
var (
	summaryKeys = []string{"reference", "recorded", "exerciseName", "barWeight", "repCount", "meanVelocity"}
	repsKeys    = []string{"reference", "recorded", "exerciseName", "barWeight", "reps"}
)

// The labels under which a rep has its velocities, as letters of lower case. GymAware
// does not publish them; these are its names for the metrics, in full and shortened.
var (
	meanLabels = []string{"concmeanvelocity", "concentricmeanvelocity", "meanvelocity"}
	peakLabels = []string{"concpeakvelocity", "concentricpeakvelocity", "peakvelocity"}
)

const repNumberKey = "REPNUM"

// objects is a file of one JSON object a line.
type objects struct {
	file  *File
	in    *bufio.Reader
	line  int
	first []byte // the line that the format was found by
}

func (f *File) openObjects(in *bufio.Reader) error {
	o := &objects{file: f, in: in}
	if f.options.Companion != nil {
		return errors.New("GymAware's answers are one file, but a second one is given with it")
	}
	var err error
	for err == nil && len(o.first) == 0 {
		o.first, err = o.next()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the first line: %w", err)
	}
	var keys map[string]jsontext.Value
	if err := json.Unmarshal(o.first, &keys); err != nil {
		return fmt.Errorf("%w: the first line is not a JSON object", ErrFormat)
	}
	inReps, inSummaries := lacking(keys, repsKeys), lacking(keys, summaryKeys)
	switch {
	case len(inReps) == 0 && len(inSummaries) == 0:
		return fmt.Errorf("%w: the first object fits both %s and %s", ErrFormat, GymAwareReps, GymAwareSummaries)
	case len(inReps) == 0:
		f.format = GymAwareReps
	case len(inSummaries) == 0:
		f.format = GymAwareSummaries
	case len(inReps) == len(repsKeys):
		return fmt.Errorf("%w: the first object has no key of GymAware's", ErrFormat)
	default:
		return fmt.Errorf("%w: the first object is nearest to GymAware's, but it lacks %s to be one of /reps, and %s to be one of /summaries",
			ErrFormat, strings.Join(inReps, ", "), strings.Join(inSummaries, ", "))
	}
	if f.options.Format != "" && f.options.Format != f.format {
		return fmt.Errorf("%w: the file is one of %s, not of %s", ErrFormat, f.format, f.options.Format)
	}
	if f.format == GymAwareReps {
		var set gymAwareSet
		if err := json.Unmarshal(o.first, &set); err == nil && len(set.Reps) > 0 {
			if _, err := labelOf(set.Reps[0], meanLabels); err != nil {
				return fmt.Errorf("%w: %w", ErrFormat, err)
			}
		}
	}
	o.line--
	f.entries = o.entries
	return nil
}

func lacking(keys map[string]jsontext.Value, wanted []string) []string {
	var all []string
	for _, k := range wanted {
		if _, ok := keys[k]; !ok {
			all = append(all, k)
		}
	}
	return all
}

// next is the next line without the space around it; it may be used until the line
// after it is read. A line of more than maxRow bytes is ErrLong, and skipped.
func (o *objects) next() ([]byte, error) {
	o.line++
	var text []byte
	long := false
	for {
		part, err := o.in.ReadSlice('\n')
		if long = long || len(text)+len(part) > maxRow; !long {
			text = append(text, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if long && (err == nil || errors.Is(err, io.EOF)) {
			return nil, ErrLong
		}
		if errors.Is(err, io.EOF) && len(text) > 0 {
			err = nil
		}
		return []byte(strings.TrimSpace(string(text))), err
	}
}

func (o *objects) entries(yield func(entry, error) bool) {
	for {
		text, err := o.first, error(nil)
		if o.first == nil {
			text, err = o.next()
		} else {
			o.first = nil
			o.line++
		}
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.Is(err, ErrLong):
			if !yield(entry{}, &RowError{Line: o.line, Reason: "is longer than 1 MiB"}) {
				return
			}
			continue
		case err != nil:
			yield(entry{}, fmt.Errorf("read: %w", err))
			return
		case len(text) == 0:
			continue
		}
		if !o.told(text, yield) {
			return
		}
	}
}

// told yields what an object tells, and whether to go on.
func (o *objects) told(text []byte, yield func(entry, error) bool) bool {
	refuse := func(column, reason string) bool {
		return yield(entry{}, &RowError{Line: o.line, Column: column, Reason: reason})
	}
	var set gymAwareSet
	if err := json.Unmarshal(text, &set); err != nil {
		if e, ok := errors.AsType[*json.SemanticError](err); ok {
			return refuse(clip(strings.TrimPrefix(string(e.JSONPointer), "/")), "is of another kind than expected")
		}
		return refuse("", "is not a JSON object")
	}
	if err := o.file.people.check(o.line, nil, bare(set.AthleteReference), strings.TrimSpace(set.AthleteName)); err != nil {
		return yield(entry{}, err)
	}
	name, err := parseName(set.ExerciseName)
	switch {
	case set.Deleted:
		return refuse("deleted", "the set is marked as deleted")
	case bare(set.Reference) == "":
		return refuse("reference", "is missing")
	case err != nil:
		return refuse("exerciseName", err.Error())
	case name == "":
		return refuse("exerciseName", "is empty")
	case set.Recorded == nil:
		return refuse("recorded", "is missing")
	case !(*set.Recorded >= float64(lift.Earliest.Unix()) && *set.Recorded < 1e11):
		return refuse("recorded", fmt.Sprintf("%g are not seconds since 1970 of a time after 2000", *set.Recorded))
	}
	var load *float64
	if set.BarWeight != nil {
		if load, err = checkLoad(*set.BarWeight, Kilograms, fmt.Sprint(*set.BarWeight)); err != nil {
			return refuse("barWeight", err.Error())
		}
	}
	at := time.UnixMicro(int64(*set.Recorded * 1e6)).UTC()
	if zone := o.file.options.Zone; zone != nil {
		at = at.In(zone)
	}
	k := key{workout: bare(set.Reference)}
	if o.file.format == GymAwareReps {
		for _, rep := range set.Reps {
			e := &Rep{Line: o.line, Exercise: name}
			e.LoadKg, e.Time = load, at
			if !yield(o.rep(e, rep, k)) {
				return false
			}
		}
		if len(set.Reps) == 0 {
			return refuse("reps", "is empty")
		}
		return true
	}
	s := &Set{Line: o.line, Time: at, Exercise: name, LoadKg: load}
	switch n := set.RepCount; {
	case n == nil:
		return refuse("repCount", "is missing")
	case !(*n >= 0 && *n <= maxReps) || *n != float64(int(*n)):
		return refuse("repCount", fmt.Sprintf("%g is not a whole number from 0 to %d", *n, maxReps))
	default:
		s.Reps = int(*n)
	}
	if v := set.MeanVelocity; v != nil && *v != 0 {
		if !(*v > 0 && *v <= lift.MaxMeanVelocity) {
			return refuse("meanVelocity", fmt.Sprintf("%g is outside (0, %g] m/s", *v, lift.MaxMeanVelocity))
		}
		s.BestMps = v
	}
	return yield(entry{Row: Row{Set: s}, key: k, once: true}, nil)
}

// rep reads a rep of a set: rep n is put n − 1 seconds behind the time of the set.
func (o *objects) rep(e *Rep, values map[string]jsontext.Value, k key) (entry, error) {
	refuse := func(column string, err error) (entry, error) {
		return entry{}, &RowError{Line: e.Line, Column: clip(column), Reason: err.Error()}
	}
	n, err := parseWhole(string(values[repNumberKey]), 0, maxNumber)
	if err != nil {
		return refuse(repNumberKey, err)
	}
	mean, err := labelOf(values, meanLabels)
	if err != nil {
		return refuse("reps", err)
	}
	v, err := parseMeasure(valueOf(values[mean]), 1, 0)
	if err == nil && v == nil {
		err = errors.New("is empty")
	}
	if err != nil {
		return refuse(mean, err)
	}
	e.MeanVelocity = *v
	peak, err := labelOf(values, peakLabels)
	if err == nil {
		if e.PeakVelocity, err = parseMeasure(valueOf(values[peak]), 1, 0); err != nil {
			return refuse(peak, err)
		}
	}
	e.Rep.Rep, e.Time = new(n), e.Time.Add(time.Duration(n-1)*repGap)
	names := map[string]string{"mean_velocity_mps": mean, "peak_velocity_mps": peak, "rep": repNumberKey, "load_kg": "barWeight", "time": "recorded"}
	err = o.file.finish(e, int64(n), k, func(field string) string { return clip(names[field]) })
	return entry{Row: Row{Rep: e}, key: k}, err
}

// labelOf is the one of a rep's labels that has one of the given meanings.
func labelOf(values map[string]jsontext.Value, meanings []string) (string, error) {
	var fits []string
	for label := range values {
		letters := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, inBrackets.ReplaceAllString(label, ""))
		if slices.Contains(meanings, letters) {
			fits = append(fits, label)
		}
	}
	slices.Sort(fits)
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		return "", fmt.Errorf("no label of the reps is known for a mean velocity, such as Conc Mean Velocity; there are %s",
			clip(strings.Join(slices.Sorted(maps.Keys(values)), ", ")))
	}
	return "", fmt.Errorf("several labels of the reps mean the same velocity: %s", clip(strings.Join(fits, ", ")))
}

// valueOf is a number as it is written, "" where there is none.
func valueOf(v jsontext.Value) string {
	if string(v) == "null" {
		return ""
	}
	return string(v)
}

// bare is a reference, which may be a number or a text.
func bare(v jsontext.Value) string {
	if v.Kind() != '"' {
		return valueOf(v)
	}
	text, err := strconv.Unquote(string(v))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(text)
}
