package analysis

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/lift"
)

// LimitSpec says what a limit of a rule can be.
type LimitSpec struct {
	Rule  lift.Rule
	Name  string  // as in JSON
	Unit  string  // pct, share, days …
	Least float64 // the smallest value that makes sense, and
	Most  float64 // the largest
	Whole bool    // whole numbers only
	Count int     // how many numbers it has: 1, or one for each phase of the plan
	Above string  // the limit of the rule that it must not be below; "" for none
}

// LimitSpecs returns every limit, in the order of Rules.
func LimitSpecs() []LimitSpec {
	var all []LimitSpec
	var l Limits
	l.each(func(rule lift.Rule, name string, v reflect.Value) {
		spec := LimitSpec{Rule: rule, Name: name, Whole: v.Kind() == reflect.Int, Count: 1}
		if v.Kind() == reflect.Array {
			spec.Count = v.Len()
			spec.Whole = v.Type().Elem().Kind() == reflect.Int
		}
		r := limitRanges[string(rule)+"."+name]
		spec.Unit, spec.Least, spec.Most = r.unit, r.least, r.most
		for _, order := range rising {
			if i := slices.Index(order.names, name); i > 0 && order.rule == string(rule) {
				spec.Above = order.names[i-1]
			}
		}
		all = append(all, spec)
	})
	return all
}

// Of returns a rule's limits by name, as JSON has them: each a float64, an int or
// one of them for each phase of the plan. It is empty for a rule without limits.
func (l Limits) Of(rule lift.Rule) map[string]any {
	all := map[string]any{}
	l.each(func(r lift.Rule, name string, v reflect.Value) {
		if r == rule {
			all[name] = v.Interface()
		}
	})
	return all
}

// MergeLimits returns base with the limits of a JSON object by rule and limit name
// in their place, such as {"weekly-volume":{"advice_pct":15}}; what is not named
// stays. The error joins a *lift.FieldError for each limit that is not known, has
// the wrong type or makes no sense, alone or beside the others.
func MergeLimits(base Limits, patch []byte) (Limits, error) {
	rules, err := members(patch, "")
	if err != nil {
		return base, err
	}
	fields := map[string]reflect.Value{}
	limited := map[string]bool{}
	base.each(func(rule lift.Rule, name string, v reflect.Value) {
		fields[string(rule)+"."+name] = v
		limited[string(rule)] = true
	})
	var faults []error
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		switch known := slices.Contains(Rules(), lift.Rule(rule)); {
		case !known:
			faults = append(faults, limitFault(clipped(rule), "is not a rule; the rules are "+ruleNames()))
			continue
		case !limited[rule]:
			faults = append(faults, limitFault(rule, "has no limits"))
			continue
		}
		limits, err := members(rules[rule], rule)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(limits)) {
			path := rule + "." + clipped(name)
			field, known := fields[rule+"."+name]
			if !known {
				faults = append(faults, limitFault(path, "is not a limit of this rule; it has "+limitNames(lift.Rule(rule))))
				continue
			}
			if reason := readLimit(field, limits[name]); reason != "" {
				faults = append(faults, limitFault(path, reason))
			}
		}
	}
	if len(faults) > 0 {
		return base, errors.Join(faults...)
	}
	return base, base.Validate()
}

// Validate returns an error that joins a *lift.FieldError, named as in JSON, for
// each limit that is not a number, is outside of what makes sense, or contradicts
// another. The zero Limits, which stand for DefaultLimits elsewhere, are not valid.
func (l Limits) Validate() error {
	var faults []error
	values := map[string]float64{}
	l.each(func(rule lift.Rule, name string, v reflect.Value) {
		path := string(rule) + "." + name
		for _, x := range numbers(v) {
			// Not a number is neither below nor above.
			if r := limitRanges[path]; !(x >= r.least && x <= r.most) {
				faults = append(faults, limitFault(path, fmt.Sprintf("must be %s to %s (%s)", number(r.least), number(r.most), r.unit)))
				break
			}
			values[path] = x
		}
	})
	for _, order := range rising {
		for i := 1; i < len(order.names); i++ {
			low, high := order.rule+"."+order.names[i-1], order.rule+"."+order.names[i]
			if values[low] > values[high] {
				faults = append(faults, limitFault(low, "must not be above "+order.names[i]))
			}
		}
	}
	return errors.Join(faults...)
}

// each calls do with every limit, in the order of the fields. The value can be set.
func (l *Limits) each(do func(rule lift.Rule, name string, v reflect.Value)) {
	for rule, limits := range reflect.ValueOf(l).Elem().Fields() {
		for limit, v := range limits.Fields() {
			do(lift.Rule(rule.Tag.Get("json")), limit.Tag.Get("json"), v)
		}
	}
}

// numbers are the one or several numbers of a limit.
func numbers(v reflect.Value) []float64 {
	switch v.Kind() {
	case reflect.Int:
		return []float64{float64(v.Int())}
	case reflect.Array:
		var all []float64
		for i := range v.Len() {
			all = append(all, numbers(v.Index(i))...)
		}
		return all
	}
	return []float64{v.Float()}
}

// members reads a JSON object without its members' values.
func members(data jsontext.Value, path string) (map[string]jsontext.Value, error) {
	var all map[string]jsontext.Value
	err := json.Unmarshal(data, &all)
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		reason := fmt.Sprintf("is not JSON at byte %d", syntax.ByteOffset)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			reason = fmt.Sprintf("names something twice at byte %d", syntax.ByteOffset)
		}
		return nil, limitFault(path, reason)
	}
	if err != nil || all == nil {
		if path == "" {
			return nil, limitFault(path, `must be an object by rule, such as {"weekly-volume":{"advice_pct":15}}`)
		}
		return nil, limitFault(path, "must be an object of limits by name")
	}
	return all, nil
}

// readLimit sets a limit to a JSON value, or says what is wrong with it.
func readLimit(v reflect.Value, data jsontext.Value) string {
	if v.Kind() == reflect.Array {
		var list []jsontext.Value
		if err := json.Unmarshal(data, &list); err != nil || len(list) != v.Len() {
			return fmt.Sprintf("must be a list of %d numbers", v.Len())
		}
		for i := range list {
			if reason := readLimit(v.Index(i), list[i]); reason != "" {
				return reason + " in each place"
			}
		}
		return ""
	}
	if data.Kind() != '0' {
		return "must be a number"
	}
	if err := json.Unmarshal(data, v.Addr().Interface()); err != nil {
		if v.Kind() == reflect.Int {
			return "must be a whole number"
		}
		return "must be a finite number"
	}
	return ""
}

func limitFault(field, reason string) *lift.FieldError {
	return &lift.FieldError{Field: field, Reason: reason}
}

func ruleNames() string {
	var names []string
	for _, r := range Rules() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

func limitNames(rule lift.Rule) string {
	var names []string
	for _, s := range LimitSpecs() {
		if s.Rule == rule {
			names = append(names, s.Name)
		}
	}
	return strings.Join(names, ", ")
}

// clipped keeps a name that somebody made up short enough to be shown.
func clipped(name string) string {
	if len(name) > 40 {
		return strings.ToValidUTF8(name[:40], "") + "…"
	}
	return name
}

func number(v float64) string {
	if v == math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
