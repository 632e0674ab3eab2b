package lift

import (
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

// checkRange accepts nil and numbers in [min, max]; NaN is in no range.
func checkRange(field string, v *float64, min, max float64) error {
	if v == nil || (*v >= min && *v <= max) {
		return nil
	}
	return fieldErrorf(field, "%g is outside %g to %g", *v, min, max)
}

func checkScale(field string, v *int, min, max int) error {
	if v == nil || (*v >= min && *v <= max) {
		return nil
	}
	return fieldErrorf(field, "%d is outside %d to %d", *v, min, max)
}

func checkTime(field string, t, now time.Time) error {
	switch {
	case t.IsZero():
		return fieldErrorf(field, "is missing")
	case t.Before(Earliest):
		return fieldErrorf(field, "is before 2000")
	case t.After(now.Add(MaxFuture)):
		return fieldErrorf(field, "is more than 5 minutes in the future")
	}
	return nil
}

// checkText refuses text that is too long, not UTF-8 or has control characters
// other than line breaks and tabs.
func checkText(field, s string, max int) error {
	if len(s) > max {
		return fieldErrorf(field, "is longer than %d bytes", max)
	}
	if !utf8.ValidString(s) {
		return fieldErrorf(field, "is not UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' {
			return fieldErrorf(field, "holds a control character")
		}
	}
	return nil
}
