package lift

import (
	"bytes"
	"strings"
	"time"
)

// MaxQuarantinedBytes is how much of a message that cannot be used is kept.
const MaxQuarantinedBytes = 64 << 10

// Quarantined is a message, or one element of an array, that could not be used.
type Quarantined struct {
	ID       string    `json:"id"`
	Topic    string    `json:"topic"`
	Reason   string    `json:"reason"`
	Field    string    `json:"field,omitzero"`
	Index    *int      `json:"index,omitzero"` // element of an array
	Received time.Time `json:"received"`
	Size     int       `json:"size"`          // bytes as received
	Hash     string    `json:"hash,omitzero"` // SHA-256 of the whole, where it was cut
	Bytes    []byte    `json:"bytes,omitzero"`
	// Athlete is the person the bytes speak of, as far as it could be read.
	Athlete AthleteID `json:"athlete,omitzero"`
}

// Truncated reports whether only the first part of the message was kept.
func (q *Quarantined) Truncated() bool { return q.Size > len(q.Bytes) }

// Names reports whether the message speaks of the athlete: as its own, in its topic,
// as a text of its bytes, or as a tag of a point of InfluxDB.
func (q *Quarantined) Names(athlete AthleteID) bool {
	return q.Athlete == athlete || strings.Contains(q.Topic+"/", "/athlete/"+string(athlete)+"/") ||
		bytes.Contains(q.Bytes, []byte(`"`+string(athlete)+`"`)) || bytes.Contains(q.Bytes, []byte(",athlete="+string(athlete)+","))
}
