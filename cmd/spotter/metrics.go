package main

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics is what /metrics shows of every station. No label names a person.
type metrics struct {
	registry *prometheus.Registry
	alerted  prometheus.Histogram
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		alerted: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "spotter_alert_latency_seconds",
			Help:    "From the receipt of a rep or report to its alert in the log.",
			Buckets: []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5},
		}),
	}
	m.registry.MustRegister(m.alerted, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// watch registers what the stations count themselves.
func (m *metrics) watch(s *stack) error {
	counter := func(name, help string, value func() int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "spotter_" + name, Help: help}, func() float64 { return float64(value()) })
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "spotter_" + name, Help: help}, value)
	}
	lag := func(position func() uint64) func() float64 {
		return func() float64 { return float64(s.journal.LastSeq()) - float64(position()) }
	}
	in, view, judge, found := &s.pipeline.Stats, &s.view.Counts, &s.monitor.Stats, &s.segmenter.Stats
	all := []prometheus.Collector{
		counter("ingest_messages_total", "Messages acknowledged to their senders.", in.Messages.Load),
		counter("ingest_events_total", "Events appended to the log.", in.Events.Load),
		counter("ingest_quarantined_total", "Messages, or elements of them, put into quarantine.", in.Quarantined.Load),
		counter("ingest_duplicates_total", "Events that the log recognised as repeated.", in.Duplicates.Load),
		counter("ingest_unknown_fields_total", "JSON fields that nobody knows.", in.UnknownFields.Load),
		counter("ingest_failed_appends_total", "Appends that the log refused; they are tried again.", in.FailedAppends.Load),
		counter("ingest_refused_samples_total", "Chunks of bar velocity not stored because the disk is nearly full.", in.RefusedSamples.Load),
		gauge("disk_used_ratio", "Share of the data folder's disk in use.", s.disk.used),
		gauge("ingest_append_seconds", "How long the newest append took.", func() float64 { return time.Duration(in.AppendNanos.Load()).Seconds() }),
		gauge("ingest_queue_messages", "Messages that wait for an append.", func() float64 { n, _ := s.pipeline.Waiting(); return float64(n) }),
		gauge("ingest_queue_capacity", "Messages that may wait before the broker has to.", func() float64 { _, n := s.pipeline.Waiting(); return float64(n) }),
		counter("mqtt_reconnects_total", "Connections to the broker after the first.", s.source.Reconnects),
		gauge("mqtt_connected", "1 while the broker is connected.", func() float64 { return boolean(s.source.Connected()) }),
		gauge("log_last_sequence", "Sequence of the newest event.", func() float64 { return float64(s.journal.LastSeq()) }),
		counter("view_events_total", "Events applied to the view.", view.Events.Load),
		counter("view_reps_total", "New reps.", view.Reps.Load),
		counter("view_logged_sets_total", "New sets of training logs.", view.Logged.Load),
		counter("view_corrected_total", "Reps and logged sets changed by a revision, a correction or an assignment.", view.Corrected.Load),
		counter("view_duplicates_total", "Events that changed nothing.", view.Duplicates.Load),
		counter("erased_dropped_total", "Events not stored because they are about somebody who was erased.", s.erased.Dropped.Load),
		counter("view_conflicts_total", "Two contents for one revision.", view.Conflicts.Load),
		gauge("view_lag_events", "Events that the view has still to apply.", lag(s.view.Position)),
		counter("monitor_changes_total", "Changes judged.", judge.Changes.Load),
		counter("monitor_found_total", "Alerts opened or changed.", judge.Found.Load),
		counter("monitor_retracted_total", "Alerts retracted.", judge.Retracted.Load),
		counter("monitor_expired_total", "Alerts expired.", judge.Expired.Load),
		counter("monitor_loads_total", "Athletes read from the view.", judge.Loads.Load),
		counter("monitor_displaced_total", "Appends refused because another monitor was first.", judge.Displaced.Load),
		gauge("monitor_athletes", "Athletes in memory.", func() float64 { return float64(judge.Lifters.Load()) }),
		gauge("monitor_lag_events", "Events that the monitor has still to judge.", lag(s.monitor.Position)),
		counter("segmenter_chunks_total", "Chunks of bar velocity read.", found.Chunks.Load),
		counter("segmenter_repeated_chunks_total", "Chunks that came again, or too late.", found.Repeated.Load),
		counter("segmenter_gaps_total", "Missing chunks in a row, and pauses of a sensor, in bar velocity.", found.Gaps.Load),
		counter("segmenter_reps_total", "Reps found in bar velocity and appended.", found.Reps.Load),
		counter("segmenter_known_total", "Reps found that their device had told, or that had been appended before.", found.Known.Load),
		counter("segmenter_dropped_total", "Reps dropped because a gap was within them.", found.Dropped.Load),
		counter("segmenter_implausible_total", "Reps found and dropped because they are outside of the limits.", found.Implausible.Load),
		counter("segmenter_failed_appends_total", "Appends of found reps that the log refused; they are tried again.", found.FailedAppends.Load),
		gauge("segmenter_bars", "Bars whose velocity is being followed.", func() float64 { return float64(found.Bars.Load()) }),
		gauge("segmenter_lag_chunks", "Chunks of bar velocity that have still to be searched.", func() float64 { return float64(found.Lag.Load()) }),
	}
	told := s.notifier.Stats
	all = append(all,
		told.Deliveries,
		counter("notify_withheld_total", "Alerts with which the policy interrupted nobody.", told.Withheld.Load),
		counter("notify_unrouted_total", "Alerts that should have interrupted somebody and had no channel to go.", told.Unrouted.Load),
		gauge("notify_lag_events", "Events that have still to be decided on.", lag(s.notifier.Position)),
		gauge("notify_waiting", "Deliveries that are due and not sent; -1 where the outbox cannot be read.", func() float64 { n, _ := s.notifier.Waiting(); return float64(n) }),
		gauge("notify_oldest_waiting_seconds", "For how long the oldest of them has been due.", func() float64 { _, age := s.notifier.Waiting(); return age.Seconds() }),
	)
	if s.influx != nil {
		stats := s.influx.Stats
		all = append(all,
			counter("influx_points_total", "Points that InfluxDB has confirmed.", func() int64 { return stats().Points }),
			counter("influx_batches_total", "Writes that InfluxDB has confirmed.", func() int64 { return stats().Batches }),
			counter("influx_retries_total", "Writes that were made again.", func() int64 { return stats().Retries }),
			counter("influx_quarantined_total", "Points that InfluxDB refused.", func() int64 { return stats().Quarantined }),
			gauge("influx_connected", "1 while InfluxDB answers.", func() float64 { return boolean(stats().Connected) }),
			gauge("influx_write_seconds", "How long the newest confirmed write took.", func() float64 { return stats().LastWrite.Seconds() }),
			gauge("influx_lag_events", "Events that have still to be written.", func() float64 { return float64(stats().Events.Events) }),
			gauge("influx_lag_seconds", "Since the oldest event was received that has still to be written.", func() float64 { return stats().Events.Age.Seconds() }),
			gauge("influx_samples_lag_events", "Chunks of bar velocity that have still to be written.", func() float64 { return float64(stats().Samples.Events) }),
		)
	}
	for _, c := range append(all, s.api.Collectors()...) {
		if err := m.registry.Register(c); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
