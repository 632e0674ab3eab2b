package analysis

import "testing"

func TestEveryRuleHasASource(t *testing.T) {
	for _, r := range Rules() {
		s := Source(r)
		if s.Says == "" || s.Citation == "" || s.Kind != "article" && s.Kind != "literature" && s.Kind != "default" {
			t.Errorf("%s: %+v", r, s)
		}
	}
}
