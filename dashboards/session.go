package main

// session is one athlete's training, second by second.
func session(board string) dashboard {
	reps := shown + ` AND ` + lifted
	d := frame("spotter-session", "Spotter: Session", "Reps and bar velocity of one session, second by second. Come here from a set of the dashboard Athlete, or choose the time.", "now-3h", board,
		[]variable{dataSource, samplesSource, site, squad, someone(), exercise}, []row{
			{4, []chart{
				{kind: "stat", title: "Number of reps", width: 6, from: stored, unit: count, about: "Reps in the time shown, warm-ups too.", empty: "No rep in this time",
					queries: []query{{`SELECT count("mean_velocity_mps") FROM "rep" WHERE ` + reps, ""}}},
				{kind: "stat", title: "Volume", width: 6, from: stored, unit: kilograms, about: "Load times reps of all sets in the time shown that have a load.", empty: "No set with a load in this time",
					queries: []query{{`SELECT sum("volume_kg") FROM "set" WHERE ` + reps, ""}}},
				{kind: "stat", title: "Top load", width: 6, from: stored, unit: kilograms, decimals: 1, about: "The heaviest load of a rep in the time shown.", empty: "No rep with a load in this time",
					queries: []query{{`SELECT max("load_kg") FROM "rep" WHERE ` + reps, ""}}},
				{kind: "stat", title: "Greatest loss", width: 6, from: stored, unit: percent, about: "The greatest loss of velocity within a set: how much slower a rep was than the fastest before it.", empty: "No rep in this time",
					color: from(20.0, "orange", 30.0, "red"), queries: []query{{`SELECT max("velocity_loss_pct") FROM "rep" WHERE ` + reps, ""}}},
			}},
			{9, []chart{{kind: "timeseries", title: "Reps", width: 24, from: stored, unit: speed, decimals: 2, style: points, low: new(0.0),
				about:   "Mean velocity of each rep at the instant at which it ended, by exercise. Drag over a set to look into it.",
				empty:   "No rep in this time: choose a set in the dashboard Athlete, or another time",
				queries: []query{{`SELECT "mean_velocity_mps" FROM "rep" WHERE ` + reps + ` GROUP BY "exercise"`, "$tag_exercise"}}}}},
			{10, []chart{{kind: "timeseries", title: "Bar velocity", width: 24, from: sampled, unit: speed, decimals: 2, interval: "10ms",
				about: "The bar's velocity as its sensor sampled it, up is positive: the fastest up and down within each pixel, and every sample once you are close enough. Kept for 30 days, and only of sensors that send it.",
				empty: "No bar velocity in this time: it is kept for 30 days, and not every sensor sends it",
				queries: []query{
					{`SELECT max("v_mps") FROM "velocity" WHERE ` + who + ` AND $timeFilter GROUP BY time($__interval), "device" fill(none)`, "up, $tag_device"},
					{`SELECT min("v_mps") FROM "velocity" WHERE ` + who + ` AND $timeFilter GROUP BY time($__interval), "device" fill(none)`, "down, $tag_device"},
				}}}},
			{8, []chart{
				{kind: "timeseries", title: "Load", width: 12, from: stored, unit: kilograms, decimals: 1, style: points, low: new(0.0),
					about: "Load on the bar at each rep, by exercise.", empty: "No rep with a load in this time",
					queries: []query{{`SELECT "load_kg" FROM "rep" WHERE ` + reps + ` GROUP BY "exercise"`, "$tag_exercise"}}},
				{kind: "timeseries", title: "Velocity loss", width: 12, from: stored, unit: percent, style: points, lines: true,
					about: "How much slower each rep was than the fastest of its set before it. Known about a minute after the rep.",
					empty: "No rep in this time", color: from(20.0, "orange", 30.0, "red"),
					queries: []query{{`SELECT "velocity_loss_pct" FROM "rep" WHERE ` + reps + ` GROUP BY "exercise"`, "$tag_exercise"}}},
			}},
			{10, []chart{{kind: "table", title: "All reps", width: 24, from: stored, unit: count, table: true,
				about: "Each rep with what its sensor measured.", empty: "No rep in this time",
				queries: []query{{`SELECT "exercise", "set_no" AS "set", "rep_no" AS "rep", "load_kg" AS "load", "mean_velocity_mps" AS "mean", "peak_velocity_mps" AS "peak", "rom_m" AS "rom", "concentric_s" AS "up", "eccentric_s" AS "down", "velocity_loss_pct" AS "loss", "device" FROM "rep" WHERE ` + reps + ` ORDER BY time DESC LIMIT 1000`, ""}},
				columns: []column{
					{name: "Time", title: "Ended", unit: moment, width: 170},
					{name: "exercise", title: "Exercise"}, {name: "set", title: "Set"}, {name: "rep", title: "Rep"},
					{name: "load", title: "Load", unit: kilograms, more: []property{{"decimals", 1}}},
					{name: "mean", title: "Mean", unit: speed, more: []property{{"decimals", 2}}},
					{name: "peak", title: "Peak", unit: speed, more: []property{{"decimals", 2}}},
					{name: "rom", title: "Range of motion", unit: metres, more: []property{{"decimals", 2}}},
					{name: "up", title: "Up", unit: seconds, more: []property{{"decimals", 2}}},
					{name: "down", title: "Down", unit: seconds, more: []property{{"decimals", 2}}},
					{name: "loss", title: "Loss", unit: percent, color: from(20.0, "orange", 30.0, "red")},
					{name: "device", title: "Sensor"},
				}}}},
		})
	d.Annotations.List = append(d.Annotations.List, alerted())
	return d
}
