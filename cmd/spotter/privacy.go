package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spotterhq/spotter/ingest/influx"
	"github.com/spotterhq/spotter/ingest/mqtt"
	"github.com/spotterhq/spotter/internal/access"
	"github.com/spotterhq/spotter/internal/backup"
	"github.com/spotterhq/spotter/internal/lift"
	"github.com/spotterhq/spotter/internal/notify"
	"github.com/spotterhq/spotter/internal/privacy"
)

// storePatience is how long one store may take before it is asked again.
const storePatience = 10 * time.Minute

// erasing are the options of whoever carries erases out in a running server.
func (s *stack) erasing() privacy.Options {
	return privacy.Options{
		Log: s.journal, View: s.view, Tombstones: s.erased, Judged: s.monitor.Position,
		Logger: s.log.With("part", "privacy"), Now: time.Now,
		Stores: []privacy.Store{
			influxStore(s.influx),
			{Name: "deliveries", Erase: s.forgetDeliveries},
			{Name: "retained messages", Erase: s.clearRetained},
			tokenStore(s.settings.Data),
			{Name: "backtests", Erase: func(_ context.Context, subject privacy.Subject) (state, detail string, err error) {
				s.api.Forget(subject.Athlete)
				return privacy.Done, "answers that were kept in memory are gone", nil
			}},
			backupStore(s.settings.Data),
		},
	}
}

// influxStore erases from InfluxDB, where there is one.
func influxStore(f *influx.Follower) privacy.Store {
	return privacy.Store{Name: "influxdb", Erase: func(ctx context.Context, subject privacy.Subject) (state, detail string, err error) {
		if f == nil {
			return privacy.Done, "none is connected", nil
		}
		ctx, cancel := context.WithTimeout(ctx, storePatience)
		defer cancel()
		done, err := f.Erase(ctx, subject.Athlete, subject.Stretches)
		if errors.Is(err, influx.ErrNoErase) {
			return "", "", fmt.Errorf("%w: %w; delete the bucket, or the points by the tag athlete with its own tools", privacy.ErrCannot, err)
		}
		if err != nil {
			return "", "", err
		}
		var parts []string
		for _, d := range done {
			parts = append(parts, fmt.Sprintf("%s: %s on %s", d.Bucket, d.By, d.Server))
		}
		return privacy.Done, strings.Join(parts, ", "), nil
	}}
}

// forgetDeliveries lets the notifier forget the subject, once it has come to the
// request: before, it would hear of their alerts again.
func (s *stack) forgetDeliveries(ctx context.Context, subject privacy.Subject) (state, detail string, err error) {
	if at := s.notifier.Position(); at < subject.Seq {
		return "", "", fmt.Errorf("the notifier is at event %d, before the request", at)
	}
	return forgetDeliveries(s.notifier)(ctx, subject)
}

func forgetDeliveries(n *notify.Notifier) func(context.Context, privacy.Subject) (state, detail string, err error) {
	return func(ctx context.Context, subject privacy.Subject) (state, detail string, err error) {
		dropped, channels, err := n.Forget(ctx, subject.Athlete)
		return privacy.Done, fmt.Sprintf("%d deliveries and %d channels deleted; what was sent before is with whoever got it", dropped, channels), err
	}
}

// deliveriesOf are what an export has of the notifier.
func deliveriesOf(n *notify.Notifier) func(lift.AthleteID) []privacy.Part {
	return func(athlete lift.AthleteID) []privacy.Part {
		return []privacy.Part{{
			Name: "deliveries", Title: "What was sent to whom", Says: "One message about them, with its attempts.",
			Rows: func(ctx context.Context, yield func(any) error) error {
				all, err := n.Export(ctx, athlete)
				for i := range all {
					if err := yield(&all[i]); err != nil {
						return err
					}
				}
				return err
			},
		}}
	}
}

// clearRetained takes back what the broker keeps and names the subject.
func (s *stack) clearRetained(ctx context.Context, subject privacy.Subject) (state, detail string, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	n, err := mqtt.ClearRetained(ctx, s.eraseAt, "spotter/v1/#", func(topic string, payload []byte) bool {
		return (&lift.Quarantined{Topic: topic, Bytes: payload}).Names(subject.Athlete)
	})
	if err != nil {
		return "", "", err
	}
	return privacy.Done, fmt.Sprintf("%d cleared", n), nil
}

// tokenStore revokes the subject's tokens and links, and ends their sessions.
func tokenStore(data string) privacy.Store {
	return privacy.Store{Name: "tokens", Erase: func(_ context.Context, subject privacy.Subject) (state, detail string, err error) {
		n, err := access.TokensIn(data).RevokeOf(subject.Athlete)
		if err != nil {
			return "", "", err
		}
		_, err = access.SessionsIn(data).EndOf(subject.Athlete)
		return privacy.Done, fmt.Sprintf("%d revoked", n), err
	}}
}

// maxNamed is how many backups a receipt names.
const maxNamed = 50

// backupStore names the backups that hold the subject still.
func backupStore(data string) privacy.Store {
	return privacy.Store{Name: "backups", Erase: func(context.Context, privacy.Subject) (state, detail string, err error) {
		all, err := backup.List(data)
		if err != nil {
			return "", "", err
		}
		if len(all) == 0 {
			return privacy.Done, "none is known of; copies that were made otherwise hold the athlete still", nil
		}
		var dates []string
		for _, b := range all[max(0, len(all)-maxNamed):] {
			dates = append(dates, b.At.UTC().Format("2006-01-02 15:04"))
		}
		return privacy.Kept, fmt.Sprintf("%d hold the athlete still, the newest of %s: delete them, or erase again after restoring one", len(all), strings.Join(dates, ", ")), nil
	}}
}
