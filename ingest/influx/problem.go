package influx

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// Class says what kind of answer a server gave, and so what helps.
type Class string

// The classes. All but Refused are tried again until they pass.
const (
	Away      Class = "away"      // no answer
	Throttled Class = "throttled" // 429 or 503: it says when to come back, or not
	Denied    Class = "denied"    // 401 or 403: the token is wrong or may not write
	Missing   Class = "missing"   // 404: no such bucket, database or organisation
	Failing   Class = "failing"   // any other status: its own fault, or not InfluxDB
	Refused   Class = "refused"   // 400, 413, 422: some point in it cannot be stored
)

// maxRetryAfter bounds what a server may ask to wait.
const maxRetryAfter = 10 * time.Minute

// problem is an answer that is not yes. It is an error for Refused only.
type problem struct {
	class   Class
	status  int
	message string
	after   time.Duration // asked for by the server, 0 where it did not say
}

func (p *problem) Error() string { return p.message }

// classify tells what an error of the client library is. Nil where it is none.
func classify(err error, now time.Time) *problem {
	if err == nil {
		return nil
	}
	var answer *influxhttp.Error
	if !errors.As(err, &answer) || answer.StatusCode == 0 {
		return &problem{class: Away, message: err.Error()}
	}
	message := answer.Message
	if message == "" {
		message = answer.Error()
	}
	return answered(answer.StatusCode, message, answer.Header, now)
}

func answered(status int, message string, header http.Header, now time.Time) *problem {
	p := &problem{class: Failing, status: status, message: message}
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		p.class = Refused
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		p.class, p.after = Throttled, retryAfter(header.Get("Retry-After"), now)
	case http.StatusUnauthorized, http.StatusForbidden:
		p.class = Denied
	case http.StatusNotFound:
		p.class = Missing
	}
	return p
}

// retryAfter reads seconds or a date.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// expired tells how many points were dropped because they are older than the
// bucket keeps; the others of the request were written then.
func (p *problem) expired() (int, bool) {
	m := regexp.MustCompile(`beyond retention policy dropped=(\d+)`).FindStringSubmatch(p.message)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil
}
