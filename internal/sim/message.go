package sim

import (
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
)

// Message is one MQTT message as a device, gateway or kiosk publishes it.
type Message struct {
	Topic   string
	Payload []byte // never changed after it was handed out
	QoS     byte   // 0 or 1
	Retain  bool
	// At is the time that the message speaks of: of its last rep, of its report.
	At time.Time
}

func deviceTopic(site lift.SiteID, device lift.DeviceID, leaf string) string {
	return "spotter/v1/" + string(site) + "/device/" + string(device) + "/" + leaf
}

func checkInTopic(site lift.SiteID, athlete lift.AthleteID) string {
	return "spotter/v1/" + string(site) + "/athlete/" + string(athlete) + "/checkin"
}

func message(topic string, qos byte, retain bool, at time.Time, v any) Message {
	payload, err := json.Marshal(v)
	if err != nil {
		// Only a NaN or infinity that this package made itself cannot be marshalled.
		panic("sim: " + topic + ": " + err.Error())
	}
	return Message{Topic: topic, Payload: payload, QoS: qos, Retain: retain, At: at}
}

func repMessage(site lift.SiteID, device lift.DeviceID, rep lift.Rep) Message {
	return message(deviceTopic(site, device, "rep"), 1, false, rep.Time, rep)
}

// backlogMessage is what a gateway sends after it was offline: reps in an array.
func backlogMessage(site lift.SiteID, device lift.DeviceID, reps []lift.Rep) Message {
	return message(deviceTopic(site, device, "rep"), 1, false, reps[len(reps)-1].Time, reps)
}

func checkInMessage(site lift.SiteID, athlete lift.AthleteID, c lift.CheckIn) Message {
	c.Time = stamp(c.Time)
	return message(checkInTopic(site, athlete), 1, false, c.Time, c)
}

func statusMessage(site lift.SiteID, device lift.DeviceID, s lift.DeviceStatus, at time.Time) Message {
	return message(deviceTopic(site, device, "status"), 1, true, at, s)
}

func assignMessage(site lift.SiteID, device lift.DeviceID, a lift.Assignment) Message {
	return message(deviceTopic(site, device, "assign"), 1, true, a.Since, a)
}

// freeMessage ends the device's assignment.
func freeMessage(site lift.SiteID, device lift.DeviceID, at time.Time) Message {
	return Message{Topic: deviceTopic(site, device, "assign"), QoS: 1, Retain: true, At: at}
}

func samplesMessage(site lift.SiteID, device lift.DeviceID, s lift.Samples) Message {
	return message(deviceTopic(site, device, "samples"), 0, false, s.Time, s)
}
