package api

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/spotterhq/spotter/internal/lift"
)

func newRegistry(s *Server) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(s.Collectors()...)
	return r
}

func TestMetricsNameRoutesAndNobody(t *testing.T) {
	g := open(t)
	e := found("ana", 1, lift.Warning, trained)
	g.append(e)
	want[lift.Alert](g, 200, "GET", "/api/v1/alerts/"+e.Alert.AlertID, "")
	want[problem](g, 404, "GET", "/api/v1/athletes/ana/secrets", "")
	families, err := newRegistry(g.server).Gather()
	if err != nil {
		t.Fatal(err)
	}
	routes := map[string]bool{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "route" {
					routes[l.GetValue()] = true
				}
			}
		}
	}
	if len(routes) != 2 || !routes["/api/v1/alerts/:id"] {
		t.Errorf("routes %v", routes)
	}
}
