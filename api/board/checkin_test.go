package board_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

type link struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

// An athlete reports by a link within a few taps, is warned at once of a red flag, and
// loses nothing where there is no network.
func TestAnAthleteReportsByPhone(t *testing.T) {
	s := demo(t)
	var made link
	s.must(t, "POST", "/athletes/hal/checkin-links", map[string]any{"uses": 2}, &made)
	b := open(t, s, "/checkin/"+made.Token, visitor{})
	b.inspect("checkin")
	b.screen(360, 740, false)
	b.until(`navigator.serviceWorker.controller !== undefined && !document.querySelector('form').hidden`)
	eval[bool](b, `(document.querySelector('input[name=phase][value=after]').click(), true)`)
	eval[bool](b, `(document.querySelector('input[name=pain][value="2"]').click(), true)`)
	eval[bool](b, `(document.querySelector('input[value=saddle_numbness]').click(), true)`)
	b.waitText("get medical help now")
	eval[bool](b, `(document.querySelector('input[value=saddle_numbness]').click(), true)`)
	b.waitGone("get medical help now")

	b.offline(true)
	eval[bool](b, `(document.querySelector('form button').click(), true)`)
	b.waitText("Kept on this phone")
	b.offline(false)
	eval[bool](b, `(dispatchEvent(new Event('online')), true)`)
	b.waitText("Your coach sees your report")
	var list struct {
		Items []struct {
			Pain  *int   `json:"pain"`
			Phase string `json:"phase"`
		} `json:"items"`
	}
	s.must(t, "GET", "/athletes/hal/checkins?from="+time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), nil, &list)
	found := false
	for _, c := range list.Items {
		found = found || c.Pain != nil && *c.Pain == 2 && c.Phase == "after"
	}
	if !found {
		t.Errorf("the report did not arrive: %+v", list.Items)
	}
}

// offline takes the tab's network away, or gives it back.
func (b *tab) offline(away bool) {
	b.t.Helper()
	if away {
		b.expect(`ERR_INTERNET_DISCONNECTED`)
	}
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			EmulateOfflineServiceWorker: &away,
			MatchedNetworkConditions:    []*network.Conditions{{Offline: away, DownloadThroughput: -1, UploadThroughput: -1}},
		})
		return err
	}))
}
