package influx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/spotterhq/spotter/internal/lift"
)

// span is a stretch of one athlete's points: from ≤ time < to.
type span struct {
	measurement string
	athlete     lift.AthleteID
	from, to    time.Time
}

// valid returns the points in the span that are valid, however long the server is
// away. Its error is the context's or, where the server cannot be asked, wrapped.
func (s *server) valid(ctx context.Context, bucket string, r span) ([]identity, error) {
	var found []identity
	err := s.retry(ctx, func() (p *problem) {
		// 2.x understands InfluxQL only where a bucket is mapped; others lack Flux.
		if strings.HasPrefix(s.Version(), "2.") {
			found, p = s.validByFlux(ctx, bucket, r)
		} else {
			found, p = s.validByInfluxQL(ctx, bucket, r)
		}
		return p
	})
	if refused, ok := errors.AsType[*problem](err); ok {
		return nil, fmt.Errorf("read %s points back: status %d", r.measurement, refused.status)
	}
	return found, err
}

// result is a part of what /query answers.
type result struct {
	Tags    map[string]string `json:"tags"`
	Columns []string          `json:"columns"`
	Values  [][]any           `json:"values"`
}

// influxQL runs one statement. Times come in milliseconds.
func (s *server) influxQL(ctx context.Context, database, statement string) ([]result, *problem) {
	_, body, p := s.request(ctx, http.MethodPost, "/query?"+url.Values{"db": {database}, "epoch": {"ms"}}.Encode(),
		"application/x-www-form-urlencoded", []byte(url.Values{"q": {statement}}.Encode()))
	if p != nil {
		return nil, p
	}
	var answer struct {
		Results []struct {
			Series []result `json:"series"`
			Error  string   `json:"error"`
		} `json:"results"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, &problem{class: Failing, message: "read answer: " + err.Error()}
	}
	var all []result
	for _, r := range answer.Results {
		if strings.HasPrefix(r.Error, "database not found") {
			return nil, &problem{class: Missing, status: http.StatusNotFound, message: r.Error}
		}
		if r.Error != "" {
			return nil, &problem{class: Failing, message: r.Error}
		}
		all = append(all, r.Series...)
	}
	return all, nil
}

// quoteName quotes a name and quoteText a text for InfluxQL; both escape alike.
func quoteName(name string) string { return strconv.Quote(name) }
func quoteText(text string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), "'", `\'`) + "'"
}

func (s *server) validByInfluxQL(ctx context.Context, bucket string, r span) ([]identity, *problem) {
	database, _, _ := strings.Cut(bucket, "/")
	series, p := s.influxQL(ctx, database, fmt.Sprintf(`SELECT valid FROM %s WHERE athlete = %s AND time >= %dms AND time < %dms GROUP BY *`,
		quoteName(r.measurement), quoteText(string(r.athlete)), millis(r.from), millis(r.to)))
	if p != nil {
		return nil, p
	}
	var found []identity
	for _, one := range series {
		for _, row := range one.Values {
			at, timed := row[0].(float64)
			valid, numbered := row[1].(float64)
			if timed && numbered && valid == 1 {
				found = append(found, identity{
					measurement: r.measurement, athlete: r.athlete,
					kind: one.Tags[kindTag(r.measurement)], site: lift.SiteID(one.Tags["site"]), ms: int64(at),
				})
			}
		}
	}
	return found, nil
}

func (s *server) validByFlux(ctx context.Context, bucket string, r span) ([]identity, *problem) {
	const layout = "2006-01-02T15:04:05.000Z"
	query := fmt.Sprintf(`from(bucket: %q) |> range(start: %s, stop: %s) |> filter(fn: (r) => r._measurement == %q and r._field == "valid" and r.athlete == %q and r._value == 1.0)`,
		s.address(bucket), r.from.UTC().Format(layout), r.to.UTC().Format(layout), r.measurement, string(r.athlete))
	rows, err := s.client.QueryAPI(s.Org).Query(ctx, query)
	if err != nil {
		return nil, classify(err, s.Now())
	}
	defer func() { _ = rows.Close() }()
	var found []identity
	for rows.Next() {
		row := rows.Record()
		kind, _ := row.ValueByKey(kindTag(r.measurement)).(string)
		site, _ := row.ValueByKey("site").(string)
		found = append(found, identity{
			measurement: r.measurement, athlete: r.athlete, kind: kind, site: lift.SiteID(site), ms: millis(row.Time()),
		})
	}
	if err := rows.Err(); err != nil {
		return nil, &problem{class: Failing, message: err.Error()}
	}
	return found, nil
}
