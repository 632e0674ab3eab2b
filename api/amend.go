package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/spotterhq/spotter/internal/journal"
	"github.com/spotterhq/spotter/internal/lift"
)

// Match lets a change stand only on the revision that its author has seen. Its type
// is exported because huma passes over embedded types that are not.
type Match struct {
	IfMatch string `header:"If-Match" maxLength:"40" doc:"the ETag of what is to be changed: 412 where somebody has changed it since; without it the newest is changed"`
}

// tagged is an answer with the revision of what it shows.
type tagged[T any] struct {
	Status int
	ETag   string `header:"ETag" doc:"the revision, for If-Match"`
	Body   T
}

func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// about is whose record is to be changed, and why.
type about struct {
	kind    lift.RecordKind
	id      string
	site    lift.SiteID
	athlete lift.AthleteID
	match   string
	reason  string
}

// changeAgain is how often a change without If-Match is made anew because somebody
// else was quicker.
const changeAgain = 10

// amend writes the next revision of a record, changed by the given function, which
// gets the newest (with revision 0 where there is none) and returns false where
// nothing is to be changed. Of two at once the first in the log counts.
func (s *Server) amend(ctx context.Context, a about, change func(*lift.Record) (bool, error)) (rec lift.Record, applied bool, err error) {
	for range changeAgain {
		rec, _ = s.view.Record(a.kind, a.id)
		if err := a.matches(rec.Revision); err != nil {
			return rec, false, err
		}
		next := lift.Record{
			Kind: a.kind, ID: a.id, Revision: rec.Revision + 1, By: who(ctx).Name, At: s.now().UTC(), Reason: strings.TrimSpace(a.reason),
			House: rec.House, Site: rec.Site, Team: rec.Team, Athlete: rec.Athlete, Device: rec.Device,
		}
		if !next.At.After(rec.At) {
			next.At = rec.At.Add(time.Microsecond) // a clock that was put back does not change what follows what
		}
		if changed, err := change(&next); err != nil || !changed {
			return rec, true, err
		}
		applied, err := s.write(ctx, journal.Event{
			Kind: journal.KindRecord, Received: next.At, Site: a.site, Athlete: a.athlete, Record: &next,
		})
		if err != nil || !applied {
			return next, false, err
		}
		won, err := s.won(ctx, &next)
		if err != nil || won {
			return next, true, err
		}
	}
	return rec, false, huma.Error409Conflict("others change this all the time; try again")
}

// won reports whether a revision that was written is the one that counts.
func (s *Server) won(ctx context.Context, sent *lift.Record) (bool, error) {
	steps, err := s.view.RecordSteps(ctx, sent.Kind, sent.ID)
	if err != nil || int64(len(steps)) < sent.Revision {
		return false, err
	}
	return equalJSON(&steps[sent.Revision-1], sent)
}

func (a *about) matches(revision int64) error {
	for tag := range strings.SplitSeq(a.match, ",") {
		switch tag = strings.TrimSpace(tag); tag {
		case "":
			if a.match == "" {
				return nil
			}
		case "*":
			if revision > 0 {
				return nil
			}
		case etag(revision):
			return nil
		}
	}
	return at(http.StatusPreconditionFailed, "header.If-Match", "somebody has changed this since; it is at "+etag(revision)+" now")
}

// limitValues are limits as they are sent and shown: by rule and name.
type limitValues map[lift.Rule]map[string]any

// signed adds who set the limits, when and why, to those that are not as they were.
func (v limitValues) signed(before lift.LimitsByRule, rec *lift.Record) (lift.LimitsByRule, error) {
	if len(v) == 0 {
		return nil, nil
	}
	after := lift.LimitsByRule{}
	for rule, values := range v {
		if len(values) == 0 {
			continue // nothing of its own: what holds above
		}
		if known, ok := before[rule]; ok {
			same, err := equalJSON(known.Values, values)
			if err != nil {
				return nil, err
			}
			if same {
				after[rule] = known
				continue
			}
		}
		after[rule] = lift.RuleLimits{Values: values, By: rec.By, At: rec.At, Reason: rec.Reason}
	}
	return after, nil
}

func valuesOf(limits lift.LimitsByRule) limitValues {
	values := limitValues{}
	for rule, l := range limits {
		values[rule] = l.Values
	}
	return values
}

// withinLimits names the field of the request that limits are in.
func withinLimits(err error) error {
	if field, ok := errors.AsType[*lift.FieldError](err); ok {
		return &lift.FieldError{Field: strings.TrimSuffix("limits."+field.Field, "."), Reason: field.Reason}
	}
	return err
}
