package files

import (
	"regexp"
	"strings"
)

// months are the short names of months, as CLDR abbreviates them, in the languages that
// Hevy writes its dates in (github.com/DuarteSantos8/openGym pull request 273): French,
// Spanish, Portuguese, German, Dutch and Italian. English ones are known to time.Parse.
var months = map[string]string{
	"janv": "Jan", "ene": "Jan", "gen": "Jan",
	"févr": "Feb", "fev": "Feb",
	"mars": "Mar", "mär": "Mar", "märz": "Mar", "mrz": "Mar", "mrt": "Mar",
	"avr": "Apr", "abr": "Apr",
	"mai": "May", "mei": "May", "mag": "May",
	"juin": "Jun", "juni": "Jun", "giu": "Jun",
	"juil": "Jul", "juli": "Jul", "lug": "Jul",
	"août": "Aug", "ago": "Aug",
	"sept": "Sep", "set": "Sep",
	"okt": "Oct", "out": "Oct", "ott": "Oct",
	"déc": "Dec", "dez": "Dec", "dic": "Dec",
}

var named = regexp.MustCompile(`^(\d{1,2}) (\p{L}{3,5})\.? (\d{4}),? (\d{1,2}:\d{2}(?::\d{2})?)$`)

// parseNamed reads a date such as 15 sept. 2025, 07:48, whatever language the month is
// named in.
func parseNamed(s string) (moment, bool) {
	p := named.FindStringSubmatch(strings.TrimSpace(spaces.Replace(s)))
	if p == nil {
		return moment{}, false
	}
	name := strings.ToLower(p[2])
	if english, ok := months[name]; ok {
		name = english
	}
	return parseAny(p[1]+" "+name+" "+p[3]+", "+p[4], nil, localLayouts)
}
