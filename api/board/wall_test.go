package board_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tile is the CSS selector of the tile of a rack by what is written on it.
func tile(label string) string {
	return "[...document.querySelectorAll('.rack')].find(r => r.querySelector('.label').textContent === " + quoted(label) + ")"
}

// untilTile waits until the tile of a rack says all of the texts.
func (b *tab) untilTile(label string, texts ...string) {
	b.t.Helper()
	b.until("(said => !!said && " + "[" + quotedAll(texts) + "].every(t => said.includes(t)))(" + tile(label) + "?.innerText.replaceAll('\\n', ' '))")
}

func quotedAll(texts []string) string {
	all := ""
	for _, text := range texts {
		all += quoted(text) + ","
	}
	return all
}

// gymWithTwoRacks has a described rack and a lifter with a hostile name.
func gymWithTwoRacks(t *testing.T) (*server, *sensors) {
	t.Helper()
	s := serve(t)
	s.must(t, http.MethodPost, "/sites", map[string]any{"id": "main", "name": "Main <b>hall</b>"}, nil)
	s.must(t, http.MethodPost, "/athletes", map[string]any{"id": "ana", "site": "main", "name": "Ana <img src=x onerror=alert(1)>"}, nil)
	s.must(t, http.MethodPatch, "/devices/bar-1?site=main", map[string]any{"rack": "10"}, nil)
	s.must(t, http.MethodPatch, "/devices/bar-2?site=main", map[string]any{"rack": "2"}, nil)
	return s, sensorsOf(t, s, "main")
}

func TestTheWallFollowsASetRepByRep(t *testing.T) {
	s, bars := gymWithTwoRacks(t)
	b := open(t, s, "/wall?site=main", admin)
	b.untilTile("2", "Free")
	if order := eval[[]string](b, "[...document.querySelectorAll('.rack .label')].map(l => l.textContent)"); fmt.Sprint(order) != "[2 10]" {
		t.Errorf("the racks are in the order %v", order)
	}
	bars.say("bar-1", "status", map[string]any{"state": "ready"})
	bars.say("bar-1", "assign", map[string]any{"athlete": "ana", "exercise": "deadlift", "load_kg": 120, "set": 3})
	b.untilTile("10", "Ana <img src=x onerror=alert(1)>", "Ready", "Deadlift · 120 kg · set 3")

	for i, mps := range []float64{0.50, 0.52, 0.50, 0.40} {
		bars.rep("bar-1", mps, map[string]any{"rep": i + 1})
	}
	b.untilTile("10", "Slowing", "23 %", "rep 4 · 0.40 m/s")
	bars.rep("bar-1", 0.39, nil)
	b.untilTile("10", "STOP", "25 %", "rep 5 · 0.39 m/s")
	if n := eval[int](b, "["+tile("10")+"].map(t => t.querySelectorAll('rect.over').length)[0]"); n != 2 {
		t.Errorf("%d bars are beyond the stop line, want 2", n)
	}
	b.until("document.querySelector('.wall .unseen').textContent.startsWith('Stop at rack 10')")
	b.screenshot("wall-stop")

	// A coach takes the last two reps out: they came from another bar.
	var reps struct {
		Items []struct {
			ID    string  `json:"id"`
			Speed float64 `json:"mean_velocity_mps"`
		} `json:"items"`
	}
	s.must(t, http.MethodGet, "/athletes/ana/reps", nil, &reps)
	for _, r := range reps.Items {
		if r.Speed <= 0.40 {
			s.must(t, http.MethodPatch, "/reps/"+r.ID, map[string]any{"valid": false}, nil)
		}
	}
	b.untilTile("10", "Lifting", "4 %")

	bars.say("bar-1", "status", map[string]any{"state": "lost"})
	b.untilTile("10", "Sensor lost")
	bars.say("bar-1", "status", map[string]any{"state": "ready"})
	bars.say("bar-1", "assign", map[string]any{"athlete": nil, "since": time.Now().UTC()})
	b.untilTile("10", "Free")
}

func TestTheWallShowsWhatWasLiftedBeforeItWasOpened(t *testing.T) {
	s, bars := gymWithTwoRacks(t)
	for i, mps := range []float64{0.60, 0.58, 0.57} {
		bars.rep("bar-2", mps, map[string]any{"athlete": "ana", "exercise": "squat", "load_kg": 100, "set": 1, "rep": i + 1})
	}
	var reps struct {
		Items []any `json:"items"`
	}
	for len(reps.Items) < 3 {
		s.must(t, http.MethodGet, "/athletes/ana/reps", nil, &reps)
	}
	b := open(t, s, "/wall?site=main", admin)
	b.untilTile("2", "5 %", "rep 3 · 0.57 m/s", "100 kg")

	// In pounds, and by a coach of another site not at all.
	eval[bool](b, "(localStorage.setItem('spotter.unit', 'lb'), true)")
	b.visit("/wall?site=main")
	b.untilTile("2", "220.5 lb")
	other := open(t, s, "/wall", visitor{token: s.tokenOf(t, "north", map[string]any{"role": "coach", "site": "north"})})
	other.waitText("No sensor has been heard of here yet")
}

func TestTheWallKeepsHealthToTheDesk(t *testing.T) {
	s, _ := gymWithTwoRacks(t)
	s.must(t, http.MethodPost, "/athletes/ana/checkins", map[string]any{
		"time": time.Now().UTC(), "phase": "daily", "symptoms": []string{"bladder_bowel"},
	}, nil)
	b := open(t, s, "/wall?site=main", admin)
	b.waitText("1 more on the desk")
	if said := b.text("main"); !strings.Contains(said, "No open alerts") {
		t.Errorf("the wall says %q", said)
	}
}

func TestTheWallAndTheDeskComeBackWithTheServer(t *testing.T) {
	s, bars := gymWithTwoRacks(t)
	b, desk := open(t, s, "/wall?site=main", admin), open(t, s, "/", admin)
	for _, tab := range []*tab{b, desk} {
		tab.expect(`ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE`)
	}
	set := map[string]any{"athlete": "ana", "exercise": "squat", "load_kg": 100, "set": 1}
	bars.rep("bar-2", 0.60, set)
	b.untilTile("2", "0.60 m/s")
	s.kill()
	b.until("document.querySelector('.wall').dataset.stale === 'true'")
	b.waitText("as of")
	b.screenshot("wall-server-gone")
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	again := sensorsOf(t, s, "main")
	again.seq["bar-2"] = 100
	for _, mps := range []float64{0.55, 0.40, 0.39} {
		again.rep("bar-2", mps, set)
	}
	b.until("document.querySelector('.wall').dataset.stale === 'false'")
	b.untilTile("2", "STOP", "35 %", "0.39 m/s")
	for _, tab := range []*tab{b, desk} {
		tab.waitText("Bar slowed 35 % in set 1")
	}
}

func TestTheWallFitsFromOneRackToForty(t *testing.T) {
	s := serve(t)
	bars := sensorsOf(t, s, "main")
	b := open(t, s, "/wall?site=main", admin)
	fill := func(from, to int) {
		for i := from; i <= to; i++ {
			device := "bar-" + strconv.Itoa(i)
			s.must(t, http.MethodPatch, "/devices/"+device+"?site=main", map[string]any{"rack": strconv.Itoa(i)}, nil)
			bars.say(device, "status", map[string]any{"state": "ready"})
			for n := range 3 + i%4 {
				bars.rep(device, 0.60-float64(n)*0.01*float64(1+i%6), map[string]any{
					"athlete": "lifter-" + strconv.Itoa(i), "exercise": "squat", "load_kg": 60 + i, "set": 1 + i%5, "rep": n + 1,
				})
			}
		}
	}
	fits := func(racks int) {
		t.Helper()
		b.until("document.querySelectorAll('.rack').length === " + strconv.Itoa(racks))
		b.untilTile(strconv.Itoa(racks), "m/s")
		for _, size := range [][2]int{{3840, 2160}, {1920, 1080}} {
			b.screen(size[0], size[1], size[0] == 3840)
			b.until("document.scrollingElement.scrollHeight <= innerHeight && ![...document.querySelectorAll('.rack')].some(r => r.getBoundingClientRect().bottom > innerHeight || r.scrollHeight > r.clientHeight + 1)")
			b.screenshot(fmt.Sprintf("wall-%d-racks-%d", racks, size[0]))
		}
		b.screen(360, 740, false)
		b.until("document.scrollingElement.scrollWidth <= innerWidth && parseFloat(getComputedStyle(document.querySelector('.rack')).fontSize) > 10")
		b.screenshot(fmt.Sprintf("wall-%d-racks-360", racks))
		b.screen(1280, 800, false)
	}
	fill(1, 1)
	b.visit("/wall?site=main")
	fits(1)
	fill(2, 40)
	b.visit("/wall?site=main")
	fits(40)
}

func TestTheWallOfTheDemo(t *testing.T) {
	b := open(t, demo(t), "/wall", visitor{})
	b.waitText("m/s")
	b.inspect("wall")

	b.press("Full screen")
	b.until("document.fullscreenElement?.className === 'wall' && document.querySelector('.foot').getBoundingClientRect().bottom <= innerHeight")
	b.press("Leave full screen")
	b.until("!document.fullscreenElement && document.querySelector('.foot').getBoundingClientRect().bottom <= innerHeight")
}
