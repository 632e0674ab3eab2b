package main

// frame is what all dashboards have in common.
func frame(uid, title, about, from, board string, variables []variable, rows []row) dashboard {
	return dashboard{
		UID: uid, Title: title, Description: about, Tags: []string{"spotter"}, SchemaVersion: schemaVersion,
		GraphTooltip: 1, Timezone: "browser", WeekStart: "monday", Refresh: "1m",
		Time:       timeRange{From: from, To: "now"},
		Templating: templating{variables}, Annotations: annotations{[]annotation{}},
		Links: []link{
			{Type: "dashboards", Title: "Spotter", Tooltip: "The other dashboards", Icon: "external link", Tags: []string{"spotter"}, IncludeVars: true, KeepTime: true},
			{Type: "link", Title: "Board", Tooltip: "Spotter's own board, where alerts are answered", Icon: "bolt", URL: board + "/", Tags: []string{}, TargetBlank: true},
		},
		Panels: place(rows),
	}
}

// source is a variable that holds a datasource, by default the provisioned one.
func source(name, label, kind, text, uid string) variable {
	return variable{Type: "datasource", Name: name, Label: label, Description: "Datasource of the queries", Query: kind, Current: &option{text, uid}}
}

var (
	dataSource    = source("data", "Data", "influxdb", "Spotter", "spotter-influx")
	samplesSource = source("samples", "Bar velocity", "influxdb", "Spotter samples", "spotter-influx-samples")
	metricsSource = source("metrics", "Metrics", "prometheus", "Spotter metrics", "spotter-prometheus")
)

// chosen is a variable whose values are read from InfluxDB.
func chosen(name, label, about, query string) variable {
	return variable{Type: "query", Name: name, Label: label, Description: about, Datasource: &stored, Query: query, Refresh: 2, Sort: 1}
}

// orAny lets a variable stand for whatever there is, also for no tag at all.
func orAny(v variable) variable {
	v.IncludeAll, v.AllValue, v.Current = true, ".*", &option{"All", "$__all"}
	return v
}

var (
	site  = orAny(chosen("site", "Site", "Gym, team or clinic", `SHOW TAG VALUES WITH KEY = "site"`))
	squad = orAny(chosen("team", "Team", "Whose athletes are offered. Teams are those of the profiles",
		`SHOW TAG VALUES FROM "member" WITH KEY = "team" WHERE "site" =~ /^${site:regex}$/`))
	exercise = orAny(chosen("exercise", "Exercise", "Exercises that were lifted",
		`SHOW TAG VALUES FROM "set" WITH KEY = "exercise" WHERE "athlete" =~ /^${athlete:regex}$/`))
)

// someone is one athlete of the site and team.
func someone() variable {
	v := chosen("athlete", "Athlete", "Id of the athlete; names are on the board only",
		`SHOW TAG VALUES WITH KEY = "athlete" WHERE "site" =~ /^${site:regex}$/ AND "team" =~ /^${team:regex}$/`)
	v.Regex = "/^(?!unassigned$).+/" // reps of nobody
	return v
}

// everyone is all of them, or some. All is the list of them, so that the team counts.
func everyone() variable {
	v := someone()
	v.Multi, v.IncludeAll, v.Current = true, true, &option{"All", "$__all"}
	return v
}

// Conditions of InfluxQL.
const (
	atSite = `"site" =~ /^${site:regex}$/`
	who    = atSite + ` AND "athlete" =~ /^${athlete:regex}$/`
	valid  = `"valid" = 1`
	lifted = `"exercise" =~ /^${exercise:regex}$/`
	shown  = who + ` AND ` + valid + ` AND $timeFilter`
)

// alerted shows alerts as annotations.
func alerted() annotation {
	return annotation{
		Name: "Alerts", Enable: true, IconColor: "red", Datasource: stored,
		Target: annotationTarget{
			RefID: "Alerts", QueryType: "tags", FromAnnotations: true,
			Query:       `SELECT "message", "rule", "severity" FROM "alert" WHERE ` + shown + ` ORDER BY time DESC LIMIT 200`,
			TitleColumn: "rule", TextColumn: "message", TagsColumn: "severity", Tags: []string{},
		},
	}
}

// alertColumns are those of a table of alerts.
func alertColumns(toAthlete bool) []column {
	columns := []column{
		{name: "Time", title: "Opened", unit: moment, width: 170},
		{name: "rule", title: "Rule", width: 150},
		{name: "severity", title: "Severity", width: 90},
		{name: "value", title: "Value", unit: score, width: 80},
		{name: "threshold", title: "Limit", unit: score, width: 80},
		{name: "open", title: "State", mappings: named(result{"settled", ""}, result{"open", "red"}), width: 80},
		{name: "message", title: "What was seen"},
	}
	if toAthlete {
		columns = append(columns, column{name: "athlete", title: "Athlete", link: athleteLink(), width: 120})
	}
	return columns
}

// athleteLink leads from an athlete's id to the dashboard of that name.
func athleteLink() *dataLink {
	return &dataLink{Title: "Athlete", URL: "/d/spotter-athlete?var-athlete=${__value.text:percentencode}&${site:queryparam}&${__url_time_range}"}
}

func boardLink(board string) *dataLink {
	return &dataLink{Title: "On the board", URL: board + "/athletes/${__value.text:percentencode}", TargetBlank: true}
}
