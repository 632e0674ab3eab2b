package main

import (
	"maps"
	"strconv"
)

// The variables that hold datasources, as panels name them.
var (
	stored   = reference{"influxdb", "${data}"}
	sampled  = reference{"influxdb", "${samples}"}
	measured = reference{"prometheus", "${metrics}"}
)

// Units as Grafana calls them. Its own kilogram would show 2 500 kg as 2.5 Mg.
const (
	kilograms = "suffix:kg"
	speed     = "velocityms"
	percent   = "percent"
	share     = "percentunit"
	count     = "short"
	hours     = "h"
	seconds   = "s"
	metres    = "suffix:m"
	signal    = "dBm"
	perSecond = "ops"
	octets    = "bytes"
	score     = "none" // 0 to 10
	moment    = "dateTimeAsIso"
	words     = "string"
)

// query is one query of a panel, in InfluxQL or PromQL.
type query struct {
	text string
	// name is what its line is called: text, $col, $tag_NAME, or {{label}}.
	name string
}

// column is how a field of a table, or a line that is called so, differs from the
// panel's defaults.
type column struct {
	name, title, unit string
	pattern           bool // name is a regular expression
	color             *thresholds
	link              *dataLink
	mappings          []mapping
	width             int
	more              []property
}

// dataLink leads from a value to somewhere else.
type dataLink struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	TargetBlank bool   `json:"targetBlank,omitzero"`
}

// chart is a panel as it is described.
type chart struct {
	kind         string // timeseries, table, stat, state-timeline, xychart
	title, about string
	empty        string // what is said where there is nothing
	unit         string
	from         reference
	queries      []query
	table        bool // the answer is one table
	columns      []column
	width        int
	decimals     int
	low, high    *float64
	color        *thresholds
	lines        bool // thresholds are drawn
	style        string
	mappings     []mapping
	interval     string
	transform    []transformation
	sortBy       string
	options      map[string]any
}

// What a time series looks like; lines by default.
const (
	bars   = "bars"
	points = "points"
)

// row is panels side by side, of one height.
type row struct {
	height int
	charts []chart
}

// place gives panels their ids and places.
func place(rows []row) []panel {
	var panels []panel
	y := 0
	for _, r := range rows {
		x := 0
		for _, v := range r.charts {
			p := v.panel()
			p.ID, p.GridPos = len(panels)+1, gridPos{X: x, Y: y, W: v.width, H: r.height}
			panels = append(panels, p)
			x += v.width
		}
		y += r.height
	}
	return panels
}

func (v *chart) panel() panel {
	p := panel{
		Type: v.kind, Title: v.title, Description: v.about, Datasource: v.from, Interval: v.interval,
		Options: v.look(), Transformations: v.transform,
		FieldConfig: fieldConfig{Defaults: field{
			Unit: v.unit, NoValue: v.empty, Min: v.low, Max: v.high, Thresholds: v.color, Mappings: v.mappings, Custom: v.custom(),
		}, Overrides: []override{}},
	}
	if v.unit != words && v.unit != moment {
		p.FieldConfig.Defaults.Decimals = &v.decimals
	}
	if v.color != nil && !v.lines {
		p.FieldConfig.Defaults.Color = map[string]any{"mode": "thresholds"}
	}
	for i, q := range v.queries {
		p.Targets = append(p.Targets, v.target(q, string(rune('A'+i))))
	}
	for _, c := range v.columns {
		p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, c.override())
	}
	return p
}

func (v *chart) target(q query, id string) target {
	t := target{RefID: id, Datasource: v.from}
	if v.from == measured {
		t.Expr, t.LegendFormat = q.text, q.name
		t.Instant = v.kind == "stat"
		t.Range = !t.Instant
		return t
	}
	t.RawQuery, t.Query, t.Alias = true, q.text, q.name
	t.ResultFormat = "time_series"
	if v.table {
		t.ResultFormat = "table"
	}
	return t
}

// look is the options of the panel's kind.
func (v *chart) look() map[string]any {
	legend := map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}}
	tooltip := map[string]any{"mode": "multi", "sort": "desc"}
	o := map[string]any{}
	switch v.kind {
	case "timeseries":
		o = map[string]any{"legend": legend, "tooltip": tooltip}
	case "table":
		o = map[string]any{"showHeader": true, "cellHeight": "sm", "frameIndex": 0}
		if v.sortBy != "" {
			o["sortBy"] = []any{map[string]any{"displayName": v.sortBy, "desc": true}}
		}
	case "stat":
		o = map[string]any{
			"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
			"colorMode":     "value", "graphMode": "none", "justifyMode": "auto", "textMode": "auto",
			"orientation": "auto", "wideLayout": true, "percentChangeColorMode": "standard", "showPercentChange": false,
		}
	case "state-timeline":
		o = map[string]any{"legend": legend, "tooltip": tooltip, "mergeValues": true, "showValue": "never", "rowHeight": 0.8, "alignValue": "left"}
	case "xychart":
		o = map[string]any{"legend": legend, "tooltip": map[string]any{"mode": "single", "sort": "none"}}
	}
	maps.Copy(o, v.options)
	return o
}

// custom is the field options of the panel's kind.
func (v *chart) custom() map[string]any {
	switch v.kind {
	case "timeseries":
		c := map[string]any{"drawStyle": "line", "lineWidth": 2, "fillOpacity": 10, "showPoints": "auto", "pointSize": 5, "spanNulls": false}
		switch v.style {
		case bars:
			c = map[string]any{"drawStyle": "bars", "lineWidth": 1, "fillOpacity": 60, "showPoints": "never"}
		case points:
			c = map[string]any{"drawStyle": "points", "pointSize": 6, "showPoints": "always"}
		}
		if v.lines {
			c["thresholdsStyle"] = map[string]any{"mode": "line"}
		}
		return c
	case "table":
		return map[string]any{"align": "auto", "cellOptions": map[string]any{"type": "auto"}, "filterable": true, "inspect": false}
	case "state-timeline":
		return map[string]any{"fillOpacity": 80, "lineWidth": 0}
	case "xychart":
		return map[string]any{"show": "points", "pointSize": map[string]any{"fixed": 6}}
	}
	return nil
}

func (c *column) override() override {
	o := override{Matcher: matcher{ID: "byName", Options: c.name}}
	if c.pattern {
		o.Matcher.ID = "byRegexp"
	}
	add := func(id string, value any) { o.Properties = append(o.Properties, property{id, value}) }
	if c.title != "" {
		add("displayName", c.title)
	}
	if c.unit != "" {
		add("unit", c.unit)
	}
	if c.color != nil {
		add("thresholds", c.color)
		add("custom.cellOptions", map[string]any{"type": "color-text"})
	}
	if c.mappings != nil {
		add("mappings", c.mappings)
	}
	if c.link != nil {
		add("links", []dataLink{*c.link})
	}
	if c.width != 0 {
		add("custom.width", c.width)
	}
	o.Properties = append(o.Properties, c.more...)
	return o
}

// from returns thresholds: green, and each colour from its value on.
func from(steps ...any) *thresholds {
	t := &thresholds{Mode: "absolute", Steps: []step{{Color: "green"}}}
	for i := 0; i < len(steps); i += 2 {
		value, color := steps[i].(float64), steps[i+1].(string)
		t.Steps = append(t.Steps, step{Color: color, Value: &value})
	}
	return t
}

// named maps the numbers 0, 1 … to words and colours.
func named(results ...result) []mapping {
	options := map[string]result{}
	for i, r := range results {
		options[strconv.Itoa(i)] = r
	}
	return []mapping{{Type: "value", Options: options}}
}
