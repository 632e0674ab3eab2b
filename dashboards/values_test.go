package main

import (
	"math"
	"regexp"
	"slices"
	"testing"
)

// ranges are what the numbers of a unit can be; count is whole.
var ranges = map[string][2]float64{
	kilograms: {0, 1e8}, speed: {-8, 8}, percent: {-100, 2000}, share: {0, 1}, count: {0, 1e8}, hours: {0, 24},
	seconds: {0, 3600}, signal: {-130, 0}, score: {0, 1e6}, metres: {0, 3},
}

// check holds an answer to what the panel says of it: a time first, then numbers in
// the range of their unit, or text where the panel says so.
func (p *panel) check(t *testing.T, what string, target target, answer []series) (rows int) {
	t.Helper()
	for _, s := range answer {
		if s.Columns[0] != "time" {
			t.Errorf("%s: the first column is %s", what, s.Columns[0])
		}
		for i, column := range s.Columns[1:] {
			name := column
			if target.ResultFormat != "table" {
				name = target.Alias
			}
			unit, mapped := p.unitOf(name)
			for _, row := range s.Values {
				switch v := row[i+1].(type) {
				case nil:
				case string:
					if target.ResultFormat != "table" || unit != words && unit != count {
						t.Errorf("%s: %s is the text %q", what, column, v)
					}
				case float64:
					in, known := ranges[unit]
					if mapped {
						in, known = [2]float64{0, 3}, true
					}
					if !known || v < in[0] || v > in[1] || unit == count && v != math.Trunc(v) {
						t.Errorf("%s: %s is %g, which is not in %q", what, column, v, unit)
					}
					if low := p.FieldConfig.Defaults.Min; low != nil && v < *low {
						t.Errorf("%s: %s is %g, below the panel's %g", what, column, v, *low)
					}
					if high := p.FieldConfig.Defaults.Max; high != nil && v > *high {
						t.Errorf("%s: %s is %g, above the panel's %g", what, column, v, *high)
					}
				default:
					t.Errorf("%s: %s is a %T", what, column, v)
				}
			}
		}
		rows += len(s.Values)
	}
	return rows
}

// unitOf is the unit of a field, and whether words stand for its numbers.
func (p *panel) unitOf(name string) (unit string, mapped bool) {
	unit, mapped = p.FieldConfig.Defaults.Unit, p.FieldConfig.Defaults.Mappings != nil
	for _, o := range p.FieldConfig.Overrides {
		if o.Matcher.ID == "byName" && o.Matcher.Options != name {
			continue
		}
		if o.Matcher.ID == "byRegexp" && !regexp.MustCompile(o.Matcher.Options[1:len(o.Matcher.Options)-1]).MatchString(name) {
			continue
		}
		for _, property := range o.Properties {
			switch property.ID {
			case "unit":
				unit = property.Value.(string)
			case "mappings":
				mapped = true
			}
		}
	}
	return unit, mapped
}

// columnsThere fails for columns that hold nothing at all, as those of a misspelled
// field, and for overrides of columns that no query of the panel has.
func (p *panel) columnsThere(t *testing.T, what string, answers [][]series) {
	t.Helper()
	there, asked := map[string]bool{"Time": true}, map[string]bool{}
	for _, answer := range answers {
		for _, s := range answer {
			for i, column := range s.Columns {
				asked[column] = true
				if slices.ContainsFunc(s.Values, func(row []any) bool { return row[i] != nil }) {
					there[column] = true
				}
			}
			for tag := range s.Tags {
				there[tag] = true
			}
		}
	}
	for column := range asked {
		if !there[column] {
			t.Errorf("%s: the column %s holds nothing", what, column)
		}
	}
	for _, o := range p.FieldConfig.Overrides {
		if p.Type == "table" && o.Matcher.ID == "byName" && !there[o.Matcher.Options] {
			t.Errorf("%s: formats the column %s, which is not there", what, o.Matcher.Options)
		}
	}
}
