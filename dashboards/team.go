package main

// team is for the coach who asks who needs looking after.
func team(board string) dashboard {
	recent := who + ` AND ` + valid + ` AND time > now() - 14d`
	// Of two weeks: the present one has only begun. Where this is asked of in turn, the
	// time is said again: InfluxDB would look through all years otherwise.
	overBaseline := `SELECT max("change_pct") AS "change" FROM "week" WHERE ` + recent + ` GROUP BY "athlete"`
	// The newest of a season, which InfluxDB finds without looking through all years:
	// it is written again with each report.
	newest := func(field string) string {
		return `SELECT last("` + field + `") AS "` + field + `" FROM "plan" WHERE ` + who + ` AND time > now() - 90d GROUP BY "athlete"`
	}
	athleteColumn := column{name: "athlete", title: "Athlete", width: 140, more: []property{{"links", []dataLink{*athleteLink(), *boardLink(board)}}}}

	d := frame("spotter-team", "Spotter: Team", "Who is over baseline, open alerts, pain and plans of a team or a site.", "now-28d", board,
		[]variable{dataSource, site, squad, everyone()}, []row{
			{4, []chart{
				{kind: "stat", title: "Over 10 %", width: 6, from: stored, unit: count,
					about: "Athletes of whom this week or the last, in any group of exercises, is more than 10 % over their baseline. This week counts as far as it has gone.",
					empty: "Nobody is over 10 %", color: from(1.0, "orange"),
					queries: []query{{`SELECT count("change") AS "athletes" FROM (` + overBaseline + `) WHERE "change" > 10 AND time > now() - 14d`, ""}}},
				{kind: "stat", title: "Open alerts", width: 6, from: stored, unit: count,
					about: "Alerts opened in the time shown that still wait for an answer. They are answered on the board.",
					empty: "No alert in this time", color: from(1.0, "orange"),
					queries: []query{{`SELECT sum("open") AS "alerts" FROM "alert" WHERE ` + shown, ""}}},
				{kind: "stat", title: "In pain", width: 6, from: stored, unit: count,
					about: "Athletes who reported pain of 4 or more, of 10, within the last 7 days.",
					empty: "Nobody reported pain of 4 or more", color: from(1.0, "orange"),
					queries: []query{{`SELECT count("worst") AS "athletes" FROM (SELECT max("pain") AS "worst" FROM "checkin" WHERE ` + who + ` AND ` + valid + ` AND time > now() - 7d GROUP BY "athlete") WHERE "worst" >= 4 AND time > now() - 7d`, ""}}},
				{kind: "stat", title: "On hold", width: 6, from: stored, unit: count,
					about: "Athletes whose heavy deadlifts are on hold: after pain, a symptom, or a coach's word. Of those who have reported within 90 days.",
					empty: "Nobody has reported within 90 days", color: from(1.0, "orange"),
					queries: []query{{`SELECT sum("held") AS "athletes" FROM (` + newest("held") + `) WHERE time > now() - 90d`, ""}}},
			}},
			{11, []chart{{
				kind: "table", title: "Athletes", width: 24, from: stored, unit: count, table: true, sortBy: "Over baseline",
				about: "One line for each athlete. Over baseline: this week or the last against its baseline, in the group of exercises that is furthest over it. Open alerts and pain (0 to 10, the newest report) are of the time shown, sleep is the mean of 7 days, hold and plan are those after the newest report of 90 days. Click an athlete for more.",
				empty: "No athlete has trained or reported in this time",
				queries: []query{
					{overBaseline, ""},
					{`SELECT sum("open") AS "open" FROM "alert" WHERE ` + shown + ` GROUP BY "athlete"`, ""},
					{`SELECT last("pain") AS "pain" FROM "checkin" WHERE ` + shown + ` GROUP BY "athlete"`, ""},
					{`SELECT mean("sleep_h") AS "sleep" FROM "checkin" WHERE ` + who + ` AND ` + valid + ` AND time > now() - 7d GROUP BY "athlete"`, ""},
					{newest("held"), ""},
					{newest("phase"), ""},
				},
				transform: []transformation{
					{"filterFieldsByName", map[string]any{"exclude": map[string]any{"names": []string{"Time"}}}},
					{"joinByField", map[string]any{"byField": "athlete", "mode": "outer"}},
				},
				columns: []column{
					athleteColumn,
					{name: "change", title: "Over baseline", unit: percent, color: from(10.0, "orange", 30.0, "red")},
					{name: "open", title: "Open alerts", color: from(1.0, "orange")},
					{name: "pain", title: "Pain", unit: score, color: from(4.0, "orange", 6.0, "red")},
					{name: "sleep", title: "Sleep", unit: hours},
					{name: "held", title: "Hold", mappings: named(result{"", ""}, result{"on hold", "red"})},
					{name: "phase", title: "Return plan", mappings: named(result{"", ""}, result{"weeks 1 and 2", ""}, result{"weeks 3 and 4", ""}, result{"weeks 5 and 6", ""})},
				}}}},
			{8, []chart{
				{kind: "timeseries", title: "Weeks over the line", width: 12, from: stored, unit: count, style: bars, interval: "1w",
					about: "How many weeks of athletes, each in one group of exercises, went more than 10 % and more than 30 % over the baseline. Weeks begin on Monday, UTC.",
					empty: "No week went over its baseline in this time",
					queries: []query{
						{`SELECT count("change_pct") FROM "week" WHERE ` + shown + ` AND "change_pct" > 10 GROUP BY time(1w, 4d) fill(0)`, "over 10 %"},
						{`SELECT count("change_pct") FROM "week" WHERE ` + shown + ` AND "change_pct" > 30 GROUP BY time(1w, 4d) fill(0)`, "over 30 %"},
					}},
				{kind: "timeseries", title: "Alerts by rule", width: 12, from: stored, unit: count, style: bars, interval: "1d",
					about:   "Alerts opened each day, by rule. What each rule looks at is in docs/rules.md.",
					empty:   "No alert in this time",
					queries: []query{{`SELECT count("value") FROM "alert" WHERE ` + shown + ` GROUP BY time(1d), "rule" fill(none)`, "$tag_rule"}}},
			}},
			{8, []chart{
				{kind: "timeseries", title: "Pain", width: 12, from: stored, unit: score, style: points, low: new(0.0), high: new(10.0),
					about: "The worst pain of each day, of those who reported 1 or more, of 10. From 4 on the programme is looked at, from 6 on the exercise stops.",
					empty: "Nobody reported pain in this time", color: from(4.0, "orange", 6.0, "red"), lines: true,
					queries: []query{{`SELECT max("pain") FROM "checkin" WHERE ` + shown + ` AND "pain" >= 1 GROUP BY time(1d), "athlete" fill(none)`, "$tag_athlete"}}},
				{kind: "table", title: "Newest alerts", width: 12, from: stored, unit: words, table: true,
					about: "The newest alerts, with what was seen. Value and limit are in the unit of the rule.",
					empty: "No alert in this time", columns: alertColumns(true),
					queries: []query{{`SELECT "athlete", "rule", "severity", "value", "threshold", "open", "message" FROM "alert" WHERE ` + shown + ` ORDER BY time DESC LIMIT 100`, ""}}},
			}},
		})
	d.Annotations.List = append(d.Annotations.List, alerted())
	return d
}
