package lift

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// SiteID names a gym, team or clinic.
type SiteID string

// DeviceID names a bar sensor; it is unique within its site.
type DeviceID string

// AthleteID names a lifter; it is unique per installation. The empty id means
// that nobody is known yet.
type AthleteID string

// ExerciseID names an exercise of the catalogue or one that a site has made up.
type ExerciseID string

// FieldError says which field of an input cannot be used and why. Its text is
// meant for the sender.
type FieldError struct {
	Field  string // path of the field as the sender wrote it, "" for the whole
	Reason string // lower case, without the field's name, and without what was sent
}

func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ": " + e.Reason
}

func fieldErrorf(field, format string, args ...any) *FieldError {
	return &FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// CheckID returns a FieldError naming field unless id has the form
// [a-z0-9][a-z0-9_-]{0,63}, the form of all site, device, athlete, exercise and
// set ids.
func CheckID[T ~string](field string, id T) error {
	if validID(string(id)) {
		return nil
	}
	return fieldErrorf(field, "is not an id: 1 to 64 of a-z 0-9 _ -, starting with a letter or digit")
}

func validID(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case (c == '_' || c == '-') && i > 0:
		default:
			return false
		}
	}
	return true
}

// Digest returns the first 16 bytes of the SHA-256 of the parts, in hex. Parts
// are separated, so that ("ab","c") and ("a","bc") differ.
func Digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
