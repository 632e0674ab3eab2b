package main

// What follows is as much of Grafana's classic dashboard schema as is written here.
// testdata/grafana holds the whole, and a test holds what is written to it.

// schemaVersion is that of Grafana 13: @grafana/schema 13.2.3 gives it to new dashboards.
const schemaVersion = 42

type dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	SchemaVersion int         `json:"schemaVersion"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"` // 1: one crosshair for all panels
	Timezone      string      `json:"timezone"`
	WeekStart     string      `json:"weekStart"`
	Refresh       string      `json:"refresh"`
	Time          timeRange   `json:"time"`
	Templating    templating  `json:"templating"`
	Annotations   annotations `json:"annotations"`
	Links         []link      `json:"links"`
	Panels        []panel     `json:"panels"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type templating struct {
	List []variable `json:"list"`
}

type annotations struct {
	List []annotation `json:"list"`
}

// reference names a datasource by its uid, or by the variable that holds one.
type reference struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type variable struct {
	Type        string     `json:"type"`
	Name        string     `json:"name"`
	Label       string     `json:"label"`
	Description string     `json:"description"`
	Datasource  *reference `json:"datasource,omitzero"`
	Query       string     `json:"query"`
	Regex       string     `json:"regex,omitzero"`
	Refresh     int        `json:"refresh,omitzero"` // 2: with the time range
	Sort        int        `json:"sort,omitzero"`    // 1: by name
	Multi       bool       `json:"multi,omitzero"`
	IncludeAll  bool       `json:"includeAll,omitzero"`
	AllValue    string     `json:"allValue,omitzero"`
	Current     *option    `json:"current,omitzero"`
}

type option struct {
	Text  string `json:"text"`
	Value string `json:"value"`
}

type annotation struct {
	Name       string           `json:"name"`
	Enable     bool             `json:"enable"`
	IconColor  string           `json:"iconColor"`
	Datasource reference        `json:"datasource"`
	Target     annotationTarget `json:"target"`
}

type annotationTarget struct {
	RefID           string   `json:"refId"`
	Query           string   `json:"query"`
	QueryType       string   `json:"queryType"`
	FromAnnotations bool     `json:"fromAnnotations"`
	TitleColumn     string   `json:"titleColumn"`
	TextColumn      string   `json:"textColumn"`
	TagsColumn      string   `json:"tagsColumn"`
	TimeEndColumn   string   `json:"timeEndColumn"`
	Limit           int      `json:"limit"`
	MatchAny        bool     `json:"matchAny"`
	Tags            []string `json:"tags"`
	Type            string   `json:"type"`
}

type link struct {
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Tooltip     string   `json:"tooltip"`
	Icon        string   `json:"icon"`
	URL         string   `json:"url,omitzero"`
	Tags        []string `json:"tags"`
	AsDropdown  bool     `json:"asDropdown"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	TargetBlank bool     `json:"targetBlank"`
}

type panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"`
	Title           string           `json:"title"`
	Description     string           `json:"description"`
	GridPos         gridPos          `json:"gridPos"`
	Datasource      reference        `json:"datasource"`
	Interval        string           `json:"interval,omitzero"`
	MaxDataPoints   int              `json:"maxDataPoints,omitzero"`
	Targets         []target         `json:"targets"`
	FieldConfig     fieldConfig      `json:"fieldConfig"`
	Options         map[string]any   `json:"options"`
	Transformations []transformation `json:"transformations,omitempty"`
}

type gridPos struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// target is a query: of InfluxDB, in InfluxQL, or of Prometheus.
type target struct {
	RefID      string    `json:"refId"`
	Datasource reference `json:"datasource"`

	RawQuery     bool   `json:"rawQuery,omitzero"`
	Query        string `json:"query,omitzero"`
	ResultFormat string `json:"resultFormat,omitzero"` // time_series or table
	Alias        string `json:"alias,omitzero"`

	Expr         string `json:"expr,omitzero"`
	Range        bool   `json:"range,omitzero"`
	Instant      bool   `json:"instant,omitzero"`
	LegendFormat string `json:"legendFormat,omitzero"`
}

type fieldConfig struct {
	Defaults  field      `json:"defaults"`
	Overrides []override `json:"overrides"`
}

type field struct {
	Unit       string         `json:"unit"`
	Decimals   *int           `json:"decimals,omitzero"`
	Min        *float64       `json:"min,omitzero"`
	Max        *float64       `json:"max,omitzero"`
	NoValue    string         `json:"noValue"`
	Color      map[string]any `json:"color,omitempty"`
	Thresholds *thresholds    `json:"thresholds,omitzero"`
	Mappings   []mapping      `json:"mappings,omitempty"`
	Custom     map[string]any `json:"custom,omitempty"`
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

type step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"` // null: from below everything
}

type mapping struct {
	Type    string            `json:"type"`
	Options map[string]result `json:"options"`
}

type result struct {
	Text  string `json:"text"`
	Color string `json:"color,omitzero"`
}

type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

type transformation struct {
	ID      string         `json:"id"`
	Options map[string]any `json:"options"`
}
