package files

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spotterhq/spotter/internal/lift"
)

// maxReps bounds the reps of one set.
const maxReps = 1000

// maxName bounds an exercise's name, in bytes.
const maxName = 200

// number is a decimal number in whatever notation; groups are of three digits.
var (
	simple  = regexp.MustCompile(`^[+-]?\d{1,15}(?:[.,]\d{0,15})?$`)
	precise = regexp.MustCompile(`^[+-]?\d{1,3}(?:\.\d{1,20})?(?:e[+-]?\d{1,2})?$`)
	grouped = regexp.MustCompile(`^[+-]?\d{1,3}(?:(?:,\d{3})+\.|(?:\.\d{3})+,)\d{1,15}$`)
)

// parseNumber reads a number with a decimal point or a decimal comma. One comma and
// three digits may also be thousands, which is for the caller to judge.
func parseNumber(s string) (float64, error) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\u00A0", " "))
	switch {
	case grouped.MatchString(s):
		decimal := max(strings.LastIndexByte(s, ','), strings.LastIndexByte(s, '.'))
		s = strings.NewReplacer(",", "", ".", "").Replace(s[:decimal]) + "." + s[decimal+1:]
	case simple.MatchString(s):
		s = strings.Replace(s, ",", ".", 1)
	default:
		return 0, fmt.Errorf("%q is not a number", clip(s))
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", clip(s))
	}
	return n, nil
}

// thousands are loads of one comma that people write for a thousand and more; with
// two or three digits before the comma no load could be so large. measured are the
// same of a measure in a small unit.
var (
	thousands = regexp.MustCompile(`^\s*[12][.,]\d{3}\s*$`)
	measured  = regexp.MustCompile(`^\s*\d{1,3}[.,]\d{3}\s*$`)
)

// twofold is whether a number of the given form may be a decimal or thousands: with a
// comma always, with a point where semicolons separate the cells, because there
// decimals have commas.
func twofold(form *regexp.Regexp, s string, comma rune) bool {
	return form.MatchString(s) && (comma == ';' || strings.Contains(s, ","))
}

// parseLoad reads a load and turns it into kg; "" is not noted.
func parseLoad(s string, unit Unit, comma rune) (*float64, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	n, err := parseNumber(s)
	if err != nil {
		return nil, err
	}
	if twofold(thousands, s, comma) {
		return nil, fmt.Errorf("%q may be %g or thousands", s, n)
	}
	return checkLoad(n, unit, s)
}

func checkLoad(n float64, unit Unit, s string) (*float64, error) {
	if unit == Pounds {
		n *= poundKg
	}
	if n < 0 {
		return nil, fmt.Errorf("%q is below zero: a machine's or band's help is not a load", clip(s))
	}
	if n > lift.MaxLoad {
		return nil, fmt.Errorf("%.1f kg is more than %g kg", n, lift.MaxLoad)
	}
	return &n, nil
}

// parseMeasure reads a velocity, length or duration and divides it; "" is not told.
func parseMeasure(s string, parts float64, comma rune) (*float64, error) {
	if s == "" {
		return nil, nil
	}
	n, err := strconv.ParseFloat(s, 64)
	if !precise.MatchString(s) || err != nil { // databases write every digit that they have
		if n, err = parseNumber(s); err != nil {
			return nil, err
		}
	}
	if parts != 1 && twofold(measured, s, comma) {
		return nil, fmt.Errorf("%q may be %g or thousands", s, n)
	}
	n /= parts
	return &n, nil
}

func parseWhole(s string, lowest, highest int) (int, error) {
	n, err := parseNumber(s)
	switch {
	case err != nil:
		return 0, err
	case n != math.Trunc(n):
		return 0, fmt.Errorf("%q is not a whole number", clip(s))
	case n < float64(lowest) || n > float64(highest):
		return 0, fmt.Errorf("%q is outside %d to %d", clip(s), lowest, highest)
	}
	return int(n), nil
}

// parseFlag reads yes and no as programs write them; "" is no.
func parseFlag(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "1", "1.0":
		return true, nil
	case "", "false", "no", "0", "0.0":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", clip(s))
}

// positive is whether a cell says more than nothing and zero.
func positive(s string) bool {
	if strings.TrimSpace(s) == "" {
		return false
	}
	n, err := parseNumber(s)
	return err != nil || n != 0
}

func parseName(s string) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case len(s) > maxName:
		return "", fmt.Errorf("is longer than %d bytes", maxName)
	case !utf8.ValidString(s):
		return "", errors.New("is not text in UTF-8")
	case strings.ContainsFunc(s, unicode.IsControl):
		return "", errors.New("holds a control character")
	}
	return s, nil
}
