package board_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

func typed(text string) chromedp.Action[chromedp.Void] { return chromedp.KeyEvent(text) }

// enterAt replaces what is in the field of a CSS selector.
func (b *tab) enterAt(selector, text string) {
	b.t.Helper()
	eval[bool](b, "(n => { n.focus(); n.select(); return true })(document.querySelector("+quoted(selector)+"))")
	b.do(typed(text))
}

func TestAnAthleteIsEnrolledFoundAndChanged(t *testing.T) {
	s := serve(t)
	s.must(t, http.MethodPost, "/sites", map[string]any{"id": "main", "name": "Main gym", "zone": "Europe/Berlin"}, nil)
	s.must(t, http.MethodPost, "/teams", map[string]any{"site": "main", "id": "squad", "name": hostile + " squad"}, nil)
	b := open(t, s, "/athletes", admin)
	b.waitText("Nobody is known yet.")
	b.press("Enrol an athlete")
	b.enter("Id", "a17")
	b.enterAt("form.profile [name=name]", hostile)
	b.inspect("enrol")
	b.click("form.profile button.main")
	b.waitText("Nothing was recorded in the last 8 weeks.")
	if at := b.path(); at != "/athletes/a17" {
		t.Fatalf("after enrolling at %s", at)
	}
	b.waitText(hostile)

	b.press("Edit profile")
	b.enter("Time zone", "Nowhere")
	b.expect(`422.*a17`)
	b.click("form.profile button.main")
	b.waitText("is not a time zone")
	b.until("document.querySelector('[name=zone]').getAttribute('aria-invalid') === 'true'")
	eval[bool](b, `(document.querySelector('form.profile fieldset input[type=checkbox]').click(), true)`)
	b.enter("Time zone", "Europe/Vienna")
	b.enter("Goal", "Speed")
	b.enter("Language", "de-AT")
	b.enter("Year of birth", "1994")
	b.press("Add to: Known maxima")
	b.enter("Exercise", "Deadlift")
	b.enter("Known maxima (kg)", "182.5")
	b.press("Add to: Velocities at the maximum")
	eval[bool](b, `(s => { s.value = 'deadlift'; return true })(document.querySelector('[name^="min_velocity_mps"]'))`)
	b.enter("Velocities at the maximum (m/s)", "0.14")
	b.enter("Deadlift maximum before the injury (kg)", "190")
	b.enter("Weekly deadlift volume before the injury (kg)", "6000")
	b.press("Add to: Planned deload weeks")
	b.do(typed("2026-W50"))
	b.press("Add to: Weeks with a meet or a test")
	b.do(typed("2026-W51"))
	eval[bool](b, `([...document.querySelectorAll('form.profile label.choice input')].at(-1).click(), true)`)
	b.enter("Reason", "first talk")

	// Another coach is quicker: nothing typed is lost, and what they changed is told.
	s.must(t, http.MethodPatch, "/athletes/a17", map[string]any{"goal": "hypertrophy"}, nil)
	b.expect(`412.*a17`)
	b.click("form.profile button.main")
	b.waitText("has changed this profile since you opened it")
	b.waitText(`goal: "hypertrophy"`)
	b.click("form.profile button.main")
	b.waitText("Saved.")
	var got map[string]any
	s.must(t, http.MethodGet, "/athletes/a17", nil, &got)
	for _, name := range []string{"revision", "by", "updated", "reason"} {
		delete(got, name)
	}
	want := map[string]any{
		"id": "a17", "name": hostile, "site": "main", "teams": []any{"squad"}, "zone": "Europe/Vienna", "goal": "speed", "language": "de-AT", "born": 1994.0,
		"maximum_kg": map[string]any{"deadlift": 182.5}, "min_velocity_mps": map[string]any{"deadlift": 0.14}, "pre_injury_kg": 190.0, "pre_injury_week_kg": 6000.0,
		"deloads": []any{"2026-W50"}, "tests": []any{"2026-W51"}, "reminders": true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// Saving what is shown changes nothing; taking away does.
	b.press("Edit profile")
	b.press("Remove")
	b.enter("Language", "")
	b.click("form.profile button.main")
	b.until("!document.querySelector('form.profile')")
	var after map[string]any
	s.must(t, http.MethodGet, "/athletes/a17", nil, &after)
	if after["maximum_kg"] != nil || after["goal"] != "speed" {
		t.Errorf("after taking the maximum away: %v", after)
	}

	s.must(t, http.MethodPost, "/athletes", map[string]any{"id": "b2", "site": "main", "name": "Somebody else"}, nil)
	b.visit("/athletes")
	b.waitText("Somebody else")
	b.enter("Name or id", "onerror")
	b.waitGone("Somebody else")
	b.waitText(hostile)
	b.visit("/athletes")
	b.enter("Team", hostile+" squad (main)")
	b.waitGone("Somebody else")
	if at := b.path(); !strings.Contains(at, "team=main") {
		t.Errorf("the address is %s", at)
	}
	b.inspect("athletes")
	b.press(hostile)
	b.waitText("Individual limits")
	if href := eval[string](b, `[...document.querySelectorAll('a')].find(a => a.textContent === 'Individual limits').getAttribute('href')`); href != "/rules?athlete=a17" {
		t.Errorf("limits are at %s", href)
	}
}

// From the list a coach takes the tables of those who are shown, from an athlete's page
// theirs alone; the browser is told to keep them as files.
func TestTrainingIsExportedWhereItIsLookedAt(t *testing.T) {
	s := serve(t)
	bar := sensorsOf(t, s, "main")
	for _, who := range []string{"ana", "bo"} {
		for range 5 {
			bar.rep("bar-1", 0.5, map[string]any{"athlete": who, "exercise": "deadlift", "load_kg": 120, "set": 1})
		}
		s.untilReps(t, who, 5)
	}
	s.must(t, http.MethodPost, "/teams", map[string]any{"site": "main", "id": "squad"}, nil)
	s.must(t, http.MethodPost, "/athletes", map[string]any{"id": "ana", "site": "main", "teams": []string{"squad"}}, nil)
	s.must(t, http.MethodPost, "/athletes", map[string]any{"id": "bo", "site": "main"}, nil)
	b := open(t, s, "/athletes", admin)
	exported := func(wanted string) {
		t.Helper()
		b.click("details.exports summary")
		b.waitText("Sets as Parquet")
		for link, file := range map[string]string{"Sets as CSV": "-sets.csv", "Sets as Parquet": "-sets.parquet", "Reps as CSV": "-reps.csv", "Reps as Parquet": "-reps.parquet"} {
			got := eval[string](b, `(async a => {
				const answer = await fetch(a.href)
				const lines = new Set((await answer.text()).split('\n').slice(1, -1).map(l => l.split(',')[0]))
				return [answer.status, a.hasAttribute('download'), answer.headers.get('Content-Disposition'), a.href.includes('parquet') ? '' : [...lines].join(' ')].join(' ').trim()
			})([...document.querySelectorAll('.exports a')].find(a => a.textContent === `+quoted(link)+`))`)
			name, athletes, _ := strings.Cut(wanted, ": ")
			want := `200 true attachment; filename="` + strings.TrimPrefix(name+file, "-") + `"`
			if strings.HasSuffix(file, ".csv") {
				want += " " + athletes
			}
			if got != want {
				t.Errorf("%s gives %s, want %s", link, got, want)
			}
		}
		b.inspect("exports")
	}
	b.waitText("2 athletes")
	exported(": ana bo")
	b.enter("Team", "squad (main)")
	b.waitText("1 athlete")
	exported("squad: ana")
	b.enter("Name or id", "an")
	b.until("!document.querySelector('.exports')") // which is not by name
	b.visit("/athletes/bo")
	b.waitText("Export for R")
	exported("bo: bo")
}
