package sim

import (
	"slices"
	"strconv"
)

// faultEvery is how many reps pass a broken gateway between two faults.
const faultEvery = 7

// faults is what a broken gateway does to the reps that pass it: in turn it sends
// one twice, sends something malformed beside it, or holds it back until the rest
// after the set is over.
type faults struct {
	passed int
	held   *Message
}

// pass returns what the gateway publishes in place of the message.
func (f *faults) pass(r *rack, m Message) []Message {
	f.passed++
	if f.passed%faultEvery != 0 {
		return []Message{m}
	}
	turn := f.passed/faultEvery - 1
	switch turn % 3 {
	case 0:
		return []Message{m, m}
	case 1:
		bad := MalformedMessages(r.site, r.device, r.boot+"-"+strconv.Itoa(turn), m.At)
		bad = slices.DeleteFunc(bad, func(b BadMessage) bool { return b.Message.Topic != m.Topic })
		return []Message{m, bad[turn/3%len(bad)].Message}
	default:
		if f.held != nil {
			return []Message{m}
		}
		f.held = &m
		return nil
	}
}
