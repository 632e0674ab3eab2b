package payload

import (
	"errors"
	"strings"
	"testing"

	"github.com/spotterhq/spotter/internal/lift"
)

// What was sent is in no error: it may be long, hostile, or about somebody's health.
func TestErrorsNameFieldsAndNothingElse(t *testing.T) {
	for _, c := range []struct{ sent, want, why string }{
		{`{"pain":"much"}`, "pain: is not a whole number, but a JSON text", "a field is named"},
		{`{"limits":{"velocity-loss":{"x_pct":null}}}`, "limits.velocity-loss.x_pct: is not a number, but null", "by its path"},
		{`{"limits":{"<b>Ana</b>":{"x_pct":null}}}`, "limits.….x_pct: is not a number, but null", "what no field is called is left out"},
		{`{"limits":{"a":{"` + strings.Repeat("b", 500) + `":null}}}`, "limits.a.…: is not a number, but null", "and what is too long"},
		{`{"pain":1,"pain":2}`, "pain: is given twice", "a field given twice"},
		{`{"pain":1,`, "is not JSON: unexpected EOF at byte 10", "half of it"},
	} {
		var v struct {
			Pain   int                           `json:"pain"`
			Limits map[string]map[string]float64 `json:"limits"`
		}
		err := Unmarshal([]byte(c.sent), &v)
		if _, ok := errors.AsType[*lift.FieldError](err); !ok || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.why, err, c.want)
		}
	}
}
