package main

// athlete is one person's weeks, sets, profile, pain and sleep.
func athlete(board string) dashboard {
	sets := shown + ` AND ` + lifted
	toSession := &dataLink{Title: "This session, second by second",
		URL: "/d/spotter-session?${site:queryparam}&${athlete:queryparam}&time=${__value.raw}&time.window=10800000"}
	d := frame("spotter-athlete", "Spotter: Athlete", "One athlete's weeks against the baseline, sets, strength, pain and sleep, with the alerts.", "now-90d", board,
		[]variable{dataSource, site, squad, someone(), exercise}, []row{
			{4, []chart{
				{kind: "stat", title: "Over baseline", width: 6, from: stored, unit: percent, low: new(-100.0),
					about: "This week or the last against its baseline, in the group of exercises that is furthest over it. This week counts as far as it has gone.",
					empty: "No week with a baseline yet", color: from(10.0, "orange", 30.0, "red"),
					queries: []query{{`SELECT max("change_pct") FROM "week" WHERE ` + who + ` AND ` + valid + ` AND time > now() - 14d`, ""}}},
				{kind: "stat", title: "Newest pain", width: 6, from: stored, unit: score, low: new(0.0), high: new(10.0),
					about: "The newest report of pain, of 10.", empty: "No report in this time", color: from(4.0, "orange", 6.0, "red"),
					queries: []query{{`SELECT last("pain") FROM "checkin" WHERE ` + shown, ""}}},
				{kind: "stat", title: "Mean sleep", width: 6, from: stored, unit: hours, decimals: 1, low: new(0.0), high: new(24.0),
					about: "Mean hours of sleep that were reported in the time shown.", empty: "No report in this time",
					queries: []query{{`SELECT mean("sleep_h") FROM "checkin" WHERE ` + shown, ""}}},
				{kind: "stat", title: "Deadlifts", width: 6, from: stored, unit: score,
					about: "Whether heavy deadlifts are on hold. Who decided, and the return plan, are on the board.",
					empty: "Nothing has been reported or decided yet", mappings: named(result{"allowed", "green"}, result{"on hold", "red"}),
					queries: []query{{`SELECT last("held") FROM "plan" WHERE ` + who, ""}}},
			}},
			{9, []chart{
				{kind: "timeseries", title: "Weekly volume", width: 12, from: stored, unit: kilograms, style: bars, low: new(0.0),
					about: "Volume of each week by group of exercises: load times reps of its work sets. The dashed lines are 10 % over the baseline that each week is judged against.",
					empty: "No set with a load in this time",
					queries: []query{
						{`SELECT "volume_kg" FROM "week" WHERE ` + shown + ` GROUP BY "group"`, "$tag_group"},
						{`SELECT "baseline_kg" * 1.1 AS "line" FROM "week" WHERE ` + shown + ` GROUP BY "group"`, "10 % over, $tag_group"},
					},
					columns: []column{{pattern: true, name: "/^10 % over/", more: []property{
						{"custom.drawStyle", "line"}, {"custom.fillOpacity", 0}, {"custom.lineInterpolation", "stepAfter"},
						{"custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{8, 8}}},
					}}}},
				{kind: "timeseries", title: "Change against baseline", width: 12, from: stored, unit: percent, lines: true,
					about: "Each week's volume against its baseline, by group of exercises. The lines are at 10 %, from where a coach should look, and at 30 %.",
					empty: "No week with a baseline in this time: it takes some weeks of training", color: from(10.0, "orange", 30.0, "red"),
					queries: []query{{`SELECT "change_pct" FROM "week" WHERE ` + shown + ` GROUP BY "group"`, "$tag_group"}}},
			}},
			{9, []chart{
				{kind: "timeseries", title: "Estimated maximum", width: 12, from: stored, unit: kilograms, decimals: 1, style: points,
					about:   "The one repetition maximum that each set speaks for, from its load and velocity, or its load and reps, by exercise. How it is estimated: docs/profiles.md.",
					empty:   "No set from which a maximum can be estimated in this time",
					queries: []query{{`SELECT max("e1rm_kg") FROM "set" WHERE ` + sets + ` GROUP BY time(1d), "exercise" fill(none)`, "$tag_exercise"}}},
				{kind: "xychart", title: "Load and velocity", width: 12, from: stored, unit: speed, decimals: 2, table: true,
					about:   "The fastest rep of each set over its load: the athlete's load-velocity profile. Choose one exercise to see one line.",
					empty:   "No set with a load and a velocity in this time: choose an exercise that is lifted with a sensor",
					queries: []query{{`SELECT "load_kg" AS "load", "best_mps" AS "velocity" FROM "set" WHERE ` + sets + ` AND "load_kg" > 0 AND "best_mps" > 0`, ""}},
					columns: []column{{name: "load", title: "Load", unit: kilograms}, {name: "velocity", title: "Fastest rep", unit: speed}},
					options: map[string]any{"mapping": "manual", "series": []any{map[string]any{
						"frame": map[string]any{"matcher": map[string]any{"id": "byIndex", "options": 0}},
						"x":     map[string]any{"matcher": map[string]any{"id": "byName", "options": "load"}},
						"y":     map[string]any{"matcher": map[string]any{"id": "byName", "options": "velocity"}},
					}}}},
			}},
			{8, []chart{
				{kind: "timeseries", title: "Pain", width: 8, from: stored, unit: score, style: points, low: new(0.0), high: new(10.0), lines: true,
					about: "Pain of each report, of 10, by when it was asked for. From 4 on the programme is looked at, from 6 on the exercise stops.",
					empty: "No report of pain in this time", color: from(4.0, "orange", 6.0, "red"),
					queries: []query{{`SELECT "pain" FROM "checkin" WHERE ` + shown + ` GROUP BY "phase"`, "$tag_phase"}}},
				{kind: "timeseries", title: "Sleep", width: 8, from: stored, unit: hours, decimals: 1, style: bars, low: new(0.0), high: new(24.0),
					about: "Hours of sleep of each day's reports.", empty: "No report of sleep in this time",
					queries: []query{{`SELECT mean("sleep_h") FROM "checkin" WHERE ` + shown + ` GROUP BY time(1d) fill(none)`, "sleep"}}},
				{kind: "timeseries", title: "Soreness, stress and nutrition", width: 8, from: stored, unit: score, low: new(1.0), high: new(5.0),
					about:   "The mean of each day's reports, from 1 to 5. Of soreness and stress more is worse, of nutrition more is better.",
					empty:   "No report in this time",
					queries: []query{{`SELECT mean("soreness") AS "soreness", mean("stress") AS "stress", mean("nutrition") AS "nutrition" FROM "checkin" WHERE ` + shown + ` GROUP BY time(1d) fill(none)`, "$col"}}},
			}},
			{10, []chart{
				{kind: "table", title: "Sets", width: 14, from: stored, unit: count, table: true,
					about:   "The newest sets. Click a time to see the session around it second by second. Loss: how much slower the last rep was than the fastest.",
					empty:   "No set in this time",
					queries: []query{{`SELECT "exercise", "load_kg" AS "load", "reps", "best_mps" AS "best", "last_mps" AS "last", "velocity_loss_pct" AS "loss", "e1rm_kg" AS "maximum" FROM "set" WHERE ` + sets + ` ORDER BY time DESC LIMIT 500`, ""}},
					columns: []column{
						{name: "Time", title: "Began", unit: moment, link: toSession, width: 170},
						{name: "exercise", title: "Exercise"},
						{name: "load", title: "Load", unit: kilograms, more: []property{{"decimals", 1}}},
						{name: "reps", title: "Reps"},
						{name: "best", title: "Fastest", unit: speed, more: []property{{"decimals", 2}}},
						{name: "last", title: "Last", unit: speed, more: []property{{"decimals", 2}}},
						{name: "loss", title: "Loss", unit: percent, color: from(20.0, "orange", 30.0, "red")},
						{name: "maximum", title: "Maximum", unit: kilograms},
					}},
				{kind: "table", title: "Alerts", width: 10, from: stored, unit: words, table: true,
					about: "The athlete's alerts, with what was seen. They are answered on the board.",
					empty: "No alert in this time", columns: alertColumns(false),
					queries: []query{{`SELECT "rule", "severity", "value", "threshold", "open", "message" FROM "alert" WHERE ` + shown + ` ORDER BY time DESC LIMIT 100`, ""}}},
			}},
		})
	d.Annotations.List = append(d.Annotations.List, alerted())
	d.Links = append(d.Links, link{Type: "link", Title: "This athlete on the board", Tooltip: "Plan, limits, corrections and answers", Icon: "bolt",
		URL: board + "/athletes/${athlete:percentencode}", Tags: []string{}, TargetBlank: true})
	return d
}
