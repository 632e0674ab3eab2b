// Package influx is the follower that keeps InfluxDB in step with the log: it
// writes, reads back and erases. influxdb-client-go is imported here and nowhere
// else.
//
// # What is written
//
// Numbers are always floats, because a field's type is fixed by its first write;
// one and zero stand for yes and no. A point's identity is its tags and its time
// in milliseconds, and values come from the view as it finally stands, so that
// whatever is written again overwrites itself with identical values. A point that
// a correction moved to other tags is overwritten with valid = 0: every query
// filters valid = 1. The tag athlete is Unassigned where nobody is known yet.
//
// Reps, check-ins, alerts and device states are written as their events come. Sets,
// weeks, and each rep's velocity loss and number in its set, are derived from many
// events; they are written with the next tick, once a minute, for what has changed
// since the last. So are what holds for an athlete's deadlifts, after each report and
// each decision, and whose teams an athlete is of: teams that an athlete has left are
// deleted, because a list of tag values knows no valid.
//
// InfluxDB merges fields: where a correction takes an optional value away, as a
// peak velocity or a baseline, the old value stays in the point.
//
// # Guarantees
//
//  1. Nothing is kept in memory beyond one batch and, for each athlete, what
//     stretch of time has changed since the last tick. While the server is away
//     the position in the log stays where it is, for as long as it takes.
//  2. The saved position is never ahead of what the server has confirmed, derived
//     points included. So after a crash some points are written twice and none is
//     missing, and every point is there exactly once.
//  3. A point that the server refuses is kept in quarantine with the server's
//     reason and its line protocol; its neighbours are written.
//  4. Nothing waits for this package: neither the log nor another follower.
//
// InfluxDB 1.8 and 2.x are told apart by what they answer to /ping.
package influx
