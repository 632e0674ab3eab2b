// Package promql asks the queries of the Grafana dashboards and alert rules of a real
// Prometheus engine that has read the metrics of a real spotter. It has a module of its own:
// Prometheus brings a hundred others along.
package promql
