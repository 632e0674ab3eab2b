package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/spotterhq/spotter/analysis"
	"github.com/spotterhq/spotter/internal/lift"
)

// happening is one thing of a random script.
type happening struct {
	wait     time.Duration
	what     string
	alert    int
	severity lift.Severity
	rule     lift.Rule
	thin     bool
}

func (h happening) String() string {
	return fmt.Sprintf("+%v %s %d %s %s %v", h.wait, h.what, h.alert, h.severity, h.rule, h.thin)
}

func happenings(t *rapid.T) []happening {
	one := rapid.Custom(func(t *rapid.T) happening {
		return happening{
			wait: rapid.SampledFrom([]time.Duration{0, time.Second, 20 * time.Second, 40 * time.Second, 6 * time.Minute, 70 * time.Minute}).Draw(t, "wait"),
			what: rapid.SampledFrom([]string{
				"found", "found", "found", "found", "acknowledge", "resolve", "retract", "expire", "restart", "breaks", "works",
			}).Draw(t, "what"),
			alert:    rapid.IntRange(0, 5).Draw(t, "alert"),
			severity: rapid.SampledFrom([]lift.Severity{lift.Advice, lift.Warning, lift.Warning, lift.Critical, lift.Urgent}).Draw(t, "severity"),
			rule:     rapid.SampledFrom([]lift.Rule{analysis.PainZone, analysis.SetDrop, analysis.SetDrop, analysis.WeeklyVolume}).Draw(t, "rule"),
			thin:     rapid.Bool().Draw(t, "thin"),
		}
	})
	return rapid.SliceOfN(one, 1, 14).Draw(t, "script")
}

// TestEveryAlertThatMustBePushedArrivesAndNoneThatIsWithheld plays random scripts of
// alerts, answers, restarts and broken channels, and compares what arrived with what
// the policy says of the whole.
func TestEveryAlertThatMustBePushedArrivesAndNoneThatIsWithheld(t *testing.T) {
	arrived, withheld := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		script := happenings(r)
		var wrong []string
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t, ChannelSettings{Kind: Coach})
			defer d.close()
			told := map[lift.AthleteID][]analysis.Telling{}
			for _, h := range script {
				<-time.After(h.wait)
				synctest.Wait()
				id := fmt.Sprintf("al_%d", h.alert)
				athlete := lift.AthleteID([]string{"ana", "ben"}[h.alert%2])
				switch h.what {
				case "found":
					d.find(id, h.severity, athlete, h.rule, func(f *lift.Finding) {
						if h.thin {
							f.Evidence.Value, f.Evidence.Threshold = 21, 20
						}
					})
					if a := d.alerts[id]; a.Updated.Equal(d.now()) {
						told[athlete] = append(told[athlete], analysis.Telling{At: a.Updated, Finding: a.Finding})
					}
				case "restart":
					d.stop()
					d.start()
				case "breaks", "works":
					d.do("", []string{h.what, "coach"})
				default:
					d.do("", []string{h.what, id})
				}
				synctest.Wait()
			}
			d.do("", []string{"works", "coach"})
			<-time.After(8 * time.Minute) // the longest wait of a group, and the rest of a channel that was broken
			synctest.Wait()

			pushed := map[string]lift.Severity{} // the highest of each alert
			for _, tellings := range told {
				for _, p := range analysis.DefaultPolicy().Pushes(tellings) {
					if p.Withheld {
						withheld++
					} else if id := p.Finding.ID; p.Finding.Severity.Compare(pushed[id]) > 0 {
						pushed[id] = p.Finding.Severity
					}
				}
			}
			for id, severity := range pushed {
				a := d.alerts[id]
				stands := a.State == lift.AlertOpen && a.Severity == severity
				answered := severity == lift.Urgent && a.Severity == lift.Urgent && (a.State == lift.AlertAcknowledged || a.State == lift.AlertResolved)
				if (stands || answered) && !d.got[id]["coach alert "+string(severity)] {
					wrong = append(wrong, fmt.Sprintf("%s, %s and %s, did not arrive: %v", id, severity, a.State, d.got[id]))
				}
			}
			for id, got := range d.got {
				for what := range got {
					arrived++
					if severity := lift.Severity(what[strings.LastIndex(what, " ")+1:]); severity.Compare(pushed[id]) > 0 {
						wrong = append(wrong, fmt.Sprintf("%s arrived as %q, and the policy pushes %q", id, what, pushed[id]))
					}
				}
			}
			for key, n := range d.keys {
				if n != 1 {
					wrong = append(wrong, fmt.Sprintf("message %s came %d times", key, n))
				}
			}
			if len(wrong) > 0 {
				wrong = append(wrong, d.notes...)
			}
		})
		if len(wrong) > 0 {
			slices.Sort(wrong)
			r.Fatalf("%s\n%v", strings.Join(wrong, "\n"), script)
		}
	})
	if arrived < 50 || withheld < 5 {
		t.Errorf("only %d arrived and %d were withheld", arrived, withheld)
	}
}
