package board_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// hostile is a name that would be a script if it were ever taken for markup.
const hostile = `<img src=x onerror=alert(1)>"'&amp;{{7*7}}`

// charted waits until every chart that is to be drawn is there.
func (b *tab) charted() {
	b.t.Helper()
	b.until("document.querySelectorAll('figure.chart').length > 0 && [...document.querySelectorAll('figure.chart .plot')].every(p => p.querySelector('canvas')) && !document.querySelector('main .loading')")
}

// trained is the demo, once it has all eight weeks of a lifter's history.
func trained(t *testing.T, athlete string) *server {
	t.Helper()
	s := demo(t)
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(100 * time.Millisecond) {
		var weeks struct {
			Items []struct {
				Group string `json:"group"`
			} `json:"items"`
		}
		s.must(t, http.MethodGet, "/athletes/"+athlete+"/weeks", nil, &weeks)
		n := 0
		for _, w := range weeks.Items {
			if w.Group == "deadlift_family" {
				n++
			}
		}
		if n >= 8 {
			return s
		}
	}
	t.Fatalf("%s has not got eight weeks", athlete)
	return nil
}

func TestTheAthletePageShowsEightWeeks(t *testing.T) {
	b := open(t, trained(t, "eva"), "/athletes/eva", visitor{})
	b.charted()
	if n := b.received(); n > 300_000 {
		t.Errorf("%d bytes received", n)
	}
	for _, name := range []string{"Weekly volume: Deadlift", "Heaviest load of the week: Deadlift", "Pain and sleep", "Sessions", "Velocity by load: Deadlift", "Estimated maximum: Deadlift", "Velocity loss: Deadlift"} {
		if !eval[bool](b, "[...document.querySelectorAll('figure.chart figcaption strong')].some(s => s.textContent.startsWith("+quoted(name)+"))") {
			t.Errorf("no chart %s", name)
		}
	}
	for _, text := range []string{"Light deadlifts only today", "pain in the red zone", "Deload", "Hold", "10 % line", "Noise (95 %)"} {
		b.waitText(text)
	}
	b.inspect("athlete")
}

func TestAChartIsReadZoomedAndExported(t *testing.T) {
	b := open(t, trained(t, "ana"), "/athletes/ana", visitor{})
	b.charted()
	// What is saved is caught here instead of a folder for downloads.
	eval[bool](b, `(window.saved = [], URL.createObjectURL = blob => { saved.push(blob); return 'blob:' + location.origin + '/x' },
		HTMLAnchorElement.prototype.click = function () { saved.push(this.download) }, true)`)
	plot := `document.querySelector('.part-weeks .plot')`
	key := func(name string, shift bool) {
		eval[bool](b, fmt.Sprintf(`%s.dispatchEvent(new KeyboardEvent('keydown', { key: %q, shiftKey: %t, bubbles: true }))`, plot, name, shift)+", true")
	}
	key("ArrowRight", false)
	b.until(`/W\d\d \(.*Volume [\d,]+ kg/.test(document.querySelector('.part-weeks .readout').textContent)`)
	first := b.text(".part-weeks .readout")
	key("ArrowRight", false)
	b.until(`document.querySelector('.part-weeks .readout').textContent !== ` + quoted(first))
	// The picture changes as it is zoomed, and so does that of the chart below.
	look := `[...document.querySelectorAll('.part-weeks canvas')].map(c => c.toDataURL()).join()`
	whole := eval[string](b, look)
	key("+", false)
	b.until(look + " !== " + quoted(whole))
	near := eval[string](b, look)
	key("ArrowRight", true)
	b.until(look + " !== " + quoted(near))
	key("0", false)
	b.press("CSV")
	b.until("saved.includes('ana-volume.csv')")
	csv := eval[string](b, "saved[saved.indexOf('ana-volume.csv') - 1].text()")
	lines := strings.Split(csv, "\r\n")
	if lines[0] != `"Week from Monday","Volume (kg)","Baseline (kg)","10 % line (kg)","Alert (kg)"` || len(lines) < 9 || !strings.Contains(lines[1], `"20`) {
		t.Errorf("numbers saved as %s", csv)
	}
	b.press("PNG")
	b.until("saved.includes('ana-volume.png')")
	if size := eval[int](b, "saved[saved.indexOf('ana-volume.png') - 1].size"); size < 5000 {
		t.Errorf("a picture of %d bytes", size)
	}
	// Who cannot see the chart has the numbers.
	eval[bool](b, `(document.querySelector('.part-weeks figure details').open = true)`)
	b.until(`document.querySelectorAll('.part-weeks figure details tbody tr').length >= 8`)
	b.checkAccess("the numbers")
	// In pounds everything is.
	b.enter("Unit of loads", "lb")
	b.charted()
	b.waitText("Volume")
	b.until(`document.querySelector('.part-day .row').innerText.includes(' lb')`)
	b.enter("Unit of loads", "kg")
}

// benched publishes sets of five reps of the deadlift at 120 kg.
func benched(t *testing.T, s *server, athlete string, sets int) {
	t.Helper()
	bar := sensorsOf(t, s, "main")
	for set := range sets {
		for i := range 5 {
			bar.rep("bar-1", 0.6-0.01*float64(i), map[string]any{"athlete": athlete, "exercise": "deadlift", "load_kg": 120, "set": set + 1})
		}
	}
	s.untilReps(t, athlete, sets*5)
}

// untilReps waits until the athlete has so many reps.
func (s *server) untilReps(t *testing.T, athlete string, n int) []map[string]any {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		var reps struct {
			Items []map[string]any `json:"items"`
		}
		s.must(t, http.MethodGet, "/athletes/"+athlete+"/reps", nil, &reps)
		if len(reps.Items) == n {
			return reps.Items
		}
	}
	t.Fatalf("%s has not got %d reps", athlete, n)
	return nil
}

// untilSets waits until the page shows these sets.
func (b *tab) untilSets(sets ...string) {
	b.t.Helper()
	b.until(`[...document.querySelectorAll('section.set')].map(s => s.getAttribute('aria-label') + ': ' + s.querySelectorAll('tbody tr').length).join('; ') === ` + quoted(strings.Join(sets, "; ")))
}

// pick chooses an option of a selection by its text, once it is there.
func (b *tab) pick(selector, option string) {
	b.t.Helper()
	b.until("(s => { const o = [...s.options].find(o => o.text === " + quoted(option) + "); if (o) s.value = o.value; return !!o })(document.querySelector(" + quoted(selector) + "))")
}

// choose chooses reps of the session, counted from 0.
func (b *tab) choose(reps ...int) {
	b.t.Helper()
	for _, i := range reps {
		eval[bool](b, fmt.Sprintf(`(document.querySelectorAll('tr[data-rep] input')[%d].click(), true)`, i))
	}
}

func TestEveryCorrectionOfARepCanBeUndone(t *testing.T) {
	s := serve(t)
	s.must(t, http.MethodPost, "/athletes", map[string]any{"id": "ana", "site": "main", "name": hostile}, nil)
	s.must(t, http.MethodPost, "/athletes", map[string]any{"id": "bo", "site": "main", "name": hostile + " Bo"}, nil)
	benched(t, s, "ana", 2)
	b := open(t, s, "/athletes/ana", admin)
	b.waitText(hostile)
	first, second := "Deadlift, 120 kg, set 1: 5", "Deadlift, 120 kg, set 2: 5"
	b.untilSets(first, second)
	undo := func() {
		b.press("Undo")
		b.untilSets(first, second)
		b.until("!document.querySelector('.undo')")
	}

	b.choose(3, 4)
	b.press("Split off as a set")
	b.untilSets("Deadlift, 120 kg, set 1: 3", "Deadlift, 120 kg, set 3: 2", second)
	undo()

	b.choose(0, 5)
	b.press("Join the sets")
	b.untilSets("Deadlift, 120 kg, set 1: 10")
	undo()

	b.choose(4)
	b.press("Take out")
	b.untilSets("Deadlift, 120 kg, set 1: 4", "Counts for nothing: 1", second)
	b.waitText("taken out")
	undo()

	b.choose(0, 1, 2, 3, 4)
	b.press("Other load")
	b.enter("Load (kg)", "130")
	b.press("Correct 5 reps")
	b.untilSets("Deadlift, 130 kg, set 1: 5", second)
	undo()

	b.choose(5, 6, 7, 8, 9)
	b.press("Other exercise")
	b.pick(".correct [name=exercise]", "Squat")
	b.press("Correct 5 reps")
	b.untilSets(first, "Squat, 120 kg, set 2: 5")
	undo()

	b.choose(5, 6, 7, 8, 9)
	b.press("Other athlete")
	b.pick(".correct [name=athlete]", hostile+" Bo (bo)")
	b.press("Correct 5 reps")
	b.untilSets(first)
	s.untilReps(t, "bo", 5)
	undo()
	for _, r := range s.untilReps(t, "ana", 10) {
		if r["valid"] != true || r["state"] == "corrected" || r["load_kg"] != 120.0 {
			t.Errorf("after undoing everything: %v", r)
		}
	}
	// Sets of different loads are no one set, and nothing is changed.
	b.choose(0)
	b.press("Other load")
	b.enter("Load (kg)", "130")
	b.press("Correct 1 rep")
	b.untilSets("Deadlift, 130 kg, set 1: 1", "Deadlift, 120 kg, set 1: 4", second)
	b.choose(0, 5)
	b.press("Join the sets")
	b.waitText("different exercises or loads")
	// A correction of an earlier visit is withdrawn.
	b.visit("/athletes/ana")
	b.untilSets("Deadlift, 130 kg, set 1: 1", "Deadlift, 120 kg, set 1: 4", second)
	b.choose(0)
	b.press("Withdraw corrections")
	b.untilSets(first, second)
}

func TestAnAlertIsAnsweredWhereItHappened(t *testing.T) {
	s := serve(t)
	bar := sensorsOf(t, s, "main")
	for i, mps := range []float64{0.60, 0.58, 0.45, 0.40, 0.35} {
		bar.rep("bar-1", mps, map[string]any{"athlete": "ana", "exercise": "deadlift", "load_kg": 120, "set": 1, "rep": i + 1})
	}
	b := open(t, s, "/athletes/ana", admin)
	for end := time.Now().Add(patience); !eval[bool](b, "!!document.querySelector('section.set details.alert')") && time.Now().Before(end); {
		b.visit("/athletes/ana")
		b.untilSets("Deadlift, 120 kg, set 1: 5")
	}
	b.click("section.set details.alert summary")
	b.waitText("Acknowledge")
	eval[bool](b, `(document.querySelector('section.set details.alert textarea').focus(), true)`)
	b.do(typed("rested " + hostile))
	b.click("section.set details.alert button.main")
	// The card in the list of alerts follows.
	b.until("document.querySelector('.part-alerts details.alert summary').textContent.includes('acknowledged')")
	b.until("document.querySelector('section.set details.alert').textContent.includes(" + quoted("rested "+hostile) + ")")
	eval[bool](b, `([...document.querySelectorAll('section.set details.alert button')].find(n => n.textContent === 'Resolve').click(), true)`)
	b.until("document.querySelector('section.set details.alert summary').textContent.includes('resolved')")
}

func TestAPlanIsLedThroughItsPhases(t *testing.T) {
	s := serve(t)
	s.must(t, http.MethodPost, "/athletes", map[string]any{"id": "ana", "site": "main", "name": "Ana"}, nil)
	b := open(t, s, "/athletes/ana", admin)
	b.waitText("Nothing was recorded in the last 8 weeks.")
	decide := func(button, verb, then string) {
		t.Helper()
		b.click("button[data-verb=" + verb + "]")
		b.enter("Reason", "because "+hostile)
		if verb == "start" {
			b.enter("Deadlift maximum before the injury (kg)", "180")
		}
		b.until("document.querySelector('.controls form button.main').textContent === " + quoted(button))
		b.click(".controls form button.main")
		b.waitText(then)
	}
	decide("Put on hold", "hold", "a coach’s decision")
	decide("Release the hold", "release", "Neither a hold nor a return plan is in force.")
	decide("Start the return plan", "start", "phase 1 of 3")
	b.waitText("Heaviest load")
	decide("Next phase", "advance", "phase 2 of 3")
	decide("Repeat the phase", "repeat", "repeated once")
	decide("End the plan", "end", "Neither a hold nor a return plan is in force.")
	b.press("Decisions (6)")
	b.waitText("because " + hostile)
}

func TestAnAthleteSeesTheirPageWithoutTheCoachsControls(t *testing.T) {
	s := serve(t)
	benched(t, s, "ana", 1)
	b := open(t, s, "/", visitor{token: s.tokenOf(t, "ana", map[string]any{"role": "athlete", "athlete": "ana"}), width: 360, height: 740})
	b.untilSets("Deadlift, 120 kg, set 1: 5")
	b.charted()
	said := eval[[]string](b, `[...document.querySelectorAll('main button, main a, main input')].map(n => n.textContent || n.type)`)
	for _, not := range []string{"Edit profile", "Put on hold", "Individual limits", "checkbox", "Acknowledge"} {
		if slices.Contains(said, not) {
			t.Errorf("an athlete finds %s", not)
		}
	}
	b.press("Check-in link")
	b.enter("How many check-ins", "3")
	b.press("Make the link")
	b.until(`document.querySelector('.qr img')?.naturalWidth > 100`)
	b.waitText("Good for 3 check-ins")
	if link := eval[string](b, `document.querySelector('.card input[readonly]').value`); !strings.HasPrefix(link, s.HTTP+"/checkin/") {
		t.Errorf("the link is %s", link)
	}
	b.checkAccess("the page of an athlete")
}
