package sim

import (
	"fmt"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

// BadMessage is a message that must end in quarantine.
type BadMessage struct {
	Name    string // what is wrong with it, in words
	Field   string // the field at fault, "" where the JSON cannot be read
	Message Message
}

// MalformedMessages returns one message for each way of being unusable that
// gateways are known for, all of them reps or check-ins of the athlete "ana"
// dated at, where their fault is not the date or the name itself. boot keeps the
// identities of several calls apart.
func MalformedMessages(site lift.SiteID, device lift.DeviceID, boot string, at time.Time) []BadMessage {
	now := at.UTC().Format(time.RFC3339Nano)
	rep := func(name, field, values string) BadMessage {
		return BadMessage{Name: name, Field: field, Message: Message{
			Topic: deviceTopic(site, device, "rep"), QoS: 1, At: at, Payload: []byte(values),
		}}
	}
	fields := func(seq int, when, rest string) string {
		return fmt.Sprintf(`{"boot_id":%q,"seq":%d,"time":%q,%s}`, boot, seq, when, rest)
	}
	const fine = `"athlete":"ana","exercise":"deadlift","load_kg":100,"mean_velocity_mps":0.5`
	bad := []BadMessage{
		rep("cut off", "", fmt.Sprintf(`{"boot_id":%q,"seq":1,"time":"2026-`, boot)),
		rep("not JSON", "", "seq=2;v=0.51"),
		rep("NaN", "", fields(3, now, `"mean_velocity_mps":NaN`)),
		rep("text for a number", "mean_velocity_mps", fields(4, now, `"mean_velocity_mps":"fast"`)),
		rep("too fast", "mean_velocity_mps", fields(5, now, `"athlete":"ana","mean_velocity_mps":9.9`)),
		rep("no velocity", "mean_velocity_mps", fields(6, now, `"athlete":"ana","load_kg":100`)),
		rep("peak below mean", "peak_velocity_mps", fields(7, now, fine+`,"peak_velocity_mps":0.3`)),
		rep("range and time do not fit", "mean_velocity_mps", fields(8, now, fine+`,"rom_m":0.9,"concentric_s":0.6`)),
		rep("load out of range", "load_kg", fields(9, now, `"athlete":"ana","load_kg":1200,"mean_velocity_mps":0.5`)),
		rep("space in an id", "athlete", fields(10, now, `"athlete":"ana maria","mean_velocity_mps":0.5`)),
		rep("wildcard in an id", "athlete", fields(11, now, `"athlete":"#","mean_velocity_mps":0.5`)),
		rep("year 1970", "time", fields(12, "1970-01-01T00:00:07Z", fine)),
		rep("year 2100", "time", fields(13, "2100-01-01T00:00:00Z", fine)),
		rep("time without zone", "time", fields(14, "2026-11-22T17:03:04", fine)),
		rep("negative sequence", "seq", fields(-15, now, fine)),
		rep("something behind the value", "", fields(16, now, fine)+"}"),
	}
	return append(bad, BadMessage{Name: "pain of eleven", Field: "pain", Message: Message{
		Topic: checkInTopic(site, "ana"), QoS: 1, At: at,
		Payload: fmt.Appendf(nil, `{"time":%q,"phase":"after","pain":11}`, now),
	}})
}
