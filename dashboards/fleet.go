package main

// fleet is for whoever looks after the sensors.
func fleet(board string) dashboard {
	here := atSite + ` AND $timeFilter`
	device := func(title, about, empty, unit string, q query, change func(*chart)) chart {
		v := chart{kind: "timeseries", title: title, about: about, empty: empty, unit: unit, width: 12, from: stored, queries: []query{q}}
		if change != nil {
			change(&v)
		}
		return v
	}
	return frame("spotter-fleet", "Spotter: Fleet", "Sensors, their batteries, radio and drop-outs, and what could not be used.", "now-7d", board,
		[]variable{dataSource, metricsSource, site}, []row{
			{4, []chart{
				{kind: "stat", title: "Sensors heard", width: 6, from: stored, unit: count, about: "Sensors that have spoken of themselves in the time shown.", empty: "No sensor has reported in this time",
					queries: []query{{`SELECT count("up") AS "sensors" FROM (SELECT last("up") AS "up" FROM "device" WHERE ` + here + ` GROUP BY "site", "device") WHERE $timeFilter`, ""}}},
				{kind: "stat", title: "Lost", width: 6, from: stored, unit: count, about: "Sensors whose connection broke, and that have not come back since. One that sleeps is not lost.", empty: "No sensor is lost", color: from(1.0, "red"),
					queries: []query{{`SELECT count("up") AS "sensors" FROM (SELECT last("up") AS "up" FROM "device" WHERE ` + here + ` GROUP BY "site", "device") WHERE "up" < 1 AND $timeFilter`, ""}}},
				{kind: "stat", title: "Battery below 20 %", width: 6, from: stored, unit: count, about: "Sensors whose newest report says that their battery is below 20 %.", empty: "No battery is low", color: from(1.0, "orange"),
					queries: []query{{`SELECT count("battery") AS "sensors" FROM (SELECT last("battery_pct") AS "battery" FROM "device" WHERE ` + here + ` GROUP BY "site", "device") WHERE "battery" < 20 AND $timeFilter`, ""}}},
				{kind: "stat", title: "Reps of nobody", width: 6, from: stored, unit: count, about: "Reps in the time shown of which nobody knows yet who lifted them. Assign the bar, or correct them, on the board.", empty: "Every rep has its athlete", color: from(1.0, "orange"),
					queries: []query{{`SELECT count("mean_velocity_mps") FROM "rep" WHERE ` + here + ` AND ` + valid + ` AND "athlete" = 'unassigned'`, ""}}},
			}},
			{9, []chart{
				{kind: "table", title: "Sensors", width: 12, from: stored, unit: count, table: true,
					about: "The newest report of each sensor.", empty: "No sensor has reported in this time",
					queries:   []query{{`SELECT last("up") AS "up", last("battery_pct") AS "battery", last("rssi_dbm") AS "rssi" FROM "device" WHERE ` + here + ` GROUP BY "site", "device"`, ""}},
					transform: []transformation{{"filterFieldsByName", map[string]any{"exclude": map[string]any{"names": []string{"Time"}}}}},
					columns: []column{
						{name: "site", title: "Site"},
						{name: "device", title: "Sensor", link: &dataLink{Title: "Devices on the board", URL: board + "/devices", TargetBlank: true}},
						{name: "up", title: "State", mappings: named(result{"lost", "red"}, result{"up", "green"})},
						{name: "battery", title: "Battery", unit: percent, color: from(0.0, "red", 20.0, "orange", 40.0, "green")},
						{name: "rssi", title: "Signal", unit: signal},
					}},
				device("State", "Whether each sensor was up. A gap before a lost sensor is the time in which nothing was heard of it.", "No sensor has reported in this time", score,
					query{`SELECT last("up") FROM "device" WHERE ` + here + ` GROUP BY time($__interval), "site", "device" fill(none)`, "$tag_device"}, func(v *chart) {
						v.kind, v.mappings, v.color = "state-timeline", named(result{"lost", "red"}, result{"up", "green"}), from(0.0, "red", 1.0, "green")
					}),
			}},
			{8, []chart{
				device("Battery", "Charge of each sensor's battery, as it says.", "No sensor has told of its battery in this time", percent,
					query{`SELECT mean("battery_pct") FROM "device" WHERE ` + here + ` GROUP BY time($__interval), "site", "device" fill(none)`, "$tag_device"},
					func(v *chart) { v.low, v.high, v.interval = new(0.0), new(100.0), "1m" }),
				device("Signal", "Strength of each sensor's radio signal. Below about -80 dBm messages come late or not at all.", "No sensor has told of its signal in this time", signal,
					query{`SELECT mean("rssi_dbm") FROM "device" WHERE ` + here + ` GROUP BY time($__interval), "site", "device" fill(none)`, "$tag_device"},
					func(v *chart) { v.interval = "1m" }),
			}},
			{8, []chart{
				device("Drop-outs", "How often each sensor was lost, by day.", "No sensor dropped out in this time", count,
					query{`SELECT count("up") FROM "device" WHERE ` + here + ` AND "up" < 1 GROUP BY time(1d), "site", "device" fill(none)`, "$tag_device"},
					func(v *chart) { v.style, v.interval = bars, "1d" }),
				device("Reps", "Reps that came from each sensor, by day.", "No rep in this time", count,
					query{`SELECT count("mean_velocity_mps") FROM "rep" WHERE ` + here + ` AND ` + valid + ` GROUP BY time(1d), "site", "device" fill(none)`, "$tag_device"},
					func(v *chart) { v.style, v.interval = bars, "1d" }),
			}},
			{8, []chart{
				{kind: "timeseries", title: "Put into quarantine", width: 12, from: measured, unit: count, style: bars, interval: "1h",
					about:   "Messages, or parts of them, that could not be used, of all sites: within the hour before each point. They are kept with the reason; read, fix and replay them on the board.",
					empty:   "Spotter's metrics are not here: is Prometheus reading them?",
					queries: []query{{`increase(spotter_ingest_quarantined_total[1h])`, "quarantined"}}},
				{kind: "timeseries", title: "Gaps in bar velocity", width: 12, from: measured, unit: count, style: bars, interval: "1h",
					about:   "Stretches of bar velocity that are missing, of all sites: within the hour before each point. A radio or a gateway loses samples.",
					empty:   "Spotter's metrics are not here: is Prometheus reading them?",
					queries: []query{{`increase(spotter_segmenter_gaps_total[1h])`, "gaps"}}},
			}},
		})
}
