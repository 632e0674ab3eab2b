package main

// pipeline is Spotter itself, from its metrics.
func pipeline(board string) dashboard {
	const absent = "Spotter's metrics are not here: is Prometheus reading them?"
	const alone = "Runs without InfluxDB"
	graph := func(title, about, unit string, queries ...query) chart {
		return chart{kind: "timeseries", title: title, about: about, empty: absent, unit: unit, width: 12, from: measured, low: new(0.0), decimals: decimalsOf(unit), queries: queries}
	}
	ofInflux := func(title, about, unit string, queries ...query) chart {
		c := graph(title, about, unit, queries...)
		c.empty = alone
		return c
	}
	stat := func(title, about, unit, expr string, color *thresholds) chart {
		return chart{kind: "stat", title: title, about: about, empty: absent, unit: unit, width: 4, from: measured, decimals: decimalsOf(unit), color: color, queries: []query{{expr, ""}}}
	}
	inflow := chart{kind: "stat", title: "InfluxDB", width: 4, from: measured, unit: score, empty: alone,
		about: "Whether InfluxDB answers. While it does not, nothing is lost: the follower catches up.", mappings: named(result{"away", "red"}, result{"answers", "green"}),
		queries: []query{{`spotter_influx_connected`, ""}}}
	broker := stat("Broker", "Whether the connection to the broker stands. Without it no rep comes in.", score, `spotter_mqtt_connected`, nil)
	broker.mappings = named(result{"away", "red"}, result{"connected", "green"})

	return frame("spotter-pipeline", "Spotter: Pipeline", "From the broker to the alert: rates, latency, queue, and how far each follower of the log is. From Spotter's own metrics.", "now-1h", board,
		[]variable{metricsSource}, []row{
			{4, []chart{
				broker, inflow,
				stat("Disk", "Share of the data folder's disk in use. At 90 % bar velocity is not stored any more, at 95 % nothing is acknowledged.", share, `spotter_disk_used_ratio`, from(0.8, "orange", 0.9, "red")),
				stat("Furthest behind", "Events that the slowest of view, monitor and notifier has still to come to.", count,
					`max({__name__=~"spotter_(view|monitor|notify)_lag_events"})`, from(300.0, "orange", 10000.0, "red")),
				stat("Alert latency, median", "From the receipt of a rep or report to its alert in the log: half of the alerts of the last hour were faster.", seconds,
					`histogram_quantile(0.5, sum by (le) (rate(spotter_alert_latency_seconds_bucket[1h])))`, from(0.05, "orange", 1.0, "red")),
				stat("Refused appends", "Appends that the log refused within the last hour. Above 0, something was not acknowledged for a while.", count, `increase(spotter_ingest_failed_appends_total[1h])`, from(1.0, "red")),
			}},
			{8, []chart{
				graph("Taken in", "Messages acknowledged to the broker, events appended to the log, and reps that are new, by second.", perSecond,
					query{`rate(spotter_ingest_messages_total[$__rate_interval])`, "messages"},
					query{`rate(spotter_ingest_events_total[$__rate_interval])`, "events"},
					query{`rate(spotter_view_reps_total[$__rate_interval])`, "reps"}),
				graph("Not taken as sent", "Repeats that were recognised, what was put into quarantine, and refused chunks of bar velocity, by second. Quarantine rising: a sensor sends what cannot be used.", perSecond,
					query{`rate(spotter_ingest_duplicates_total[$__rate_interval])`, "repeats"},
					query{`rate(spotter_ingest_quarantined_total[$__rate_interval])`, "quarantined"},
					query{`rate(spotter_ingest_refused_samples_total[$__rate_interval])`, "refused velocity"}),
			}},
			{8, []chart{
				graph("Queue", "Messages that wait for the log, and how many may. At the top the broker waits.", count,
					query{`spotter_ingest_queue_messages`, "waiting"}, query{`spotter_ingest_queue_capacity`, "capacity"}),
				graph("Append to the log", "How long the newest append took, sync of the disk included: each acknowledgement waits for it.", seconds,
					query{`spotter_ingest_append_seconds`, "append"}),
			}},
			{8, []chart{
				graph("Lag of the followers", "Events that each follower of the log has still to come to. Standing above a few hundred: the machine is too slow, or what the follower writes to is away.", count,
					query{`spotter_view_lag_events`, "view"}, query{`spotter_monitor_lag_events`, "monitor"}, query{`spotter_notify_lag_events`, "notifier"},
					query{`spotter_influx_lag_events`, "InfluxDB"}, query{`spotter_influx_samples_lag_events`, "InfluxDB, velocity"}, query{`spotter_segmenter_lag_chunks`, "segmenter"}),
				graph("Positions in the log", "Sequence of the newest event, and up to which each follower is.", count,
					query{`spotter_log_last_sequence`, "log"},
					query{`spotter_log_last_sequence - spotter_view_lag_events`, "view"},
					query{`spotter_log_last_sequence - spotter_monitor_lag_events`, "monitor"},
					query{`spotter_log_last_sequence - spotter_notify_lag_events`, "notifier"},
					query{`spotter_log_last_sequence - spotter_influx_lag_events`, "InfluxDB"}),
			}},
			{8, []chart{
				graph("Alert latency", "From the receipt of a rep or report to its alert in the log, of the alerts of 10 minutes.", seconds,
					query{`histogram_quantile(0.5, sum by (le) (rate(spotter_alert_latency_seconds_bucket[10m])))`, "median"},
					query{`histogram_quantile(0.99, sum by (le) (rate(spotter_alert_latency_seconds_bucket[10m])))`, "99 %"}),
				graph("Alerts", "Alerts opened or changed, retracted, and expired, by second.", perSecond,
					query{`rate(spotter_monitor_found_total[$__rate_interval])`, "found"}, query{`rate(spotter_monitor_retracted_total[$__rate_interval])`, "retracted"},
					query{`rate(spotter_monitor_expired_total[$__rate_interval])`, "expired"}),
			}},
			{8, []chart{
				ofInflux("InfluxDB behind", "For how long the oldest event has been waiting that InfluxDB does not have.", seconds,
					query{`spotter_influx_lag_seconds`, "behind"}, query{`spotter_influx_write_seconds`, "newest write"}),
				ofInflux("Points written", "Points that InfluxDB has confirmed, writes that were made again, and points that it refused, by second.", perSecond,
					query{`rate(spotter_influx_points_total[$__rate_interval])`, "points"}, query{`rate(spotter_influx_retries_total[$__rate_interval])`, "made again"},
					query{`rate(spotter_influx_quarantined_total[$__rate_interval])`, "refused"}),
			}},
			{8, []chart{
				graph("Deliveries", "Messages to people and bars, by result and second. Failed or retried: look at the deliveries on the board.", perSecond,
					query{`sum by (result) (rate(spotter_notify_deliveries_total[$__rate_interval]))`, "{{result}}"}),
				graph("Deliveries that wait", "Deliveries that are due and not sent.", count, query{`spotter_notify_waiting`, "waiting"}),
			}},
			{8, []chart{
				graph("Requests", "How long the API took to answer 99 of 100 requests at most.", seconds,
					query{`histogram_quantile(0.99, sum by (le) (rate(spotter_http_request_seconds_bucket[$__rate_interval])))`, "99 %"}),
				graph("Memory", "Resident memory of the server.", octets, query{`process_resident_memory_bytes and on (instance, job) spotter_log_last_sequence`, "resident"}),
			}},
		})
}

// decimalsOf is how many are worth showing.
func decimalsOf(unit string) int {
	switch unit {
	case seconds:
		return 3
	case share:
		return 2
	case perSecond, octets:
		return 1
	}
	return 0
}
