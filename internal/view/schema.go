package view

// schemaVersion changes with schema: a view of another version is rebuilt.
const schemaVersion = 9

const schema = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

-- One row per rep, clustered by athlete and time: the history of one athlete is
-- one range. point_ms is the rep's time, moved on where a device has sent several
-- reps with one time. data has what no query looks at, and once more the times and
-- numbers that readers need: a value costs less in it than as a column. See record.go.
CREATE TABLE reps (
  athlete TEXT NOT NULL, point_ms INTEGER NOT NULL, site TEXT NOT NULL, device TEXT NOT NULL,
  id BLOB NOT NULL, revision INTEGER NOT NULL, hash BLOB NOT NULL, time_us INTEGER NOT NULL, received_us INTEGER NOT NULL,
  given INTEGER NOT NULL, flags INTEGER NOT NULL, exercise TEXT NOT NULL, rom REAL, concentric REAL, eccentric REAL,
  source TEXT NOT NULL, first_seq INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (athlete, point_ms, site, device)
) WITHOUT ROWID;
CREATE UNIQUE INDEX reps_id ON reps(id);
-- Found by device: reps that lean on its assignment, and those that it tells itself
-- and has samples of too.
CREATE INDEX reps_device ON reps(site, device, time_us);

-- Devices in whose samples reps were found.
CREATE TABLE segmented (site TEXT NOT NULL, device TEXT NOT NULL, PRIMARY KEY (site, device)) WITHOUT ROWID;

-- The device's own words of a corrected rep, and the coach's above them.
CREATE TABLE edits (rep_id BLOB PRIMARY KEY, raw TEXT NOT NULL, patch TEXT NOT NULL) WITHOUT ROWID;

-- Sets of training logs, clustered as reps are. Those that were taken back stay, for
-- the sake of their revision.
CREATE TABLE logged (
  athlete TEXT NOT NULL, time_us INTEGER NOT NULL, id TEXT NOT NULL, site TEXT NOT NULL, revision INTEGER NOT NULL,
  log TEXT NOT NULL, exercise TEXT NOT NULL, set_no INTEGER, reps INTEGER NOT NULL, load_kg REAL, best REAL, flags INTEGER NOT NULL,
  hash BLOB NOT NULL, received_us INTEGER NOT NULL,
  PRIMARY KEY (athlete, time_us, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX logged_id ON logged(id);

-- Where a rep was before a revision, a correction or an assignment changed it. A
-- logged set has no device.
CREATE TABLE moves (
  seq INTEGER NOT NULL, rep_id BLOB NOT NULL, site TEXT NOT NULL, athlete TEXT NOT NULL,
  exercise TEXT NOT NULL, device TEXT NOT NULL, point_ms INTEGER NOT NULL
);
CREATE INDEX moves_seq ON moves(seq);

CREATE TABLE assignments (
  site TEXT NOT NULL, device TEXT NOT NULL, since_us INTEGER NOT NULL, seq INTEGER NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (site, device, since_us)
) WITHOUT ROWID;

CREATE TABLE devices (
  site TEXT NOT NULL, device TEXT NOT NULL, seen_us INTEGER NOT NULL, status_us INTEGER, status TEXT,
  PRIMARY KEY (site, device)
) WITHOUT ROWID;

-- touched_us is when an event about the athlete was last received; alert_seq is
-- the log sequence of the newest alert event.
CREATE TABLE athletes (
  athlete TEXT PRIMARY KEY, site TEXT NOT NULL, touched_us INTEGER NOT NULL, alert_seq INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX athletes_touched ON athletes(touched_us);

CREATE TABLE checkins (
  id TEXT PRIMARY KEY, athlete TEXT NOT NULL, site TEXT NOT NULL, time_us INTEGER NOT NULL, phase TEXT NOT NULL,
  revision INTEGER NOT NULL, hash BLOB NOT NULL, received_us INTEGER NOT NULL, data TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX checkins_athlete ON checkins(athlete, time_us);

-- Decisions about holds and return plans, in the order in which they were logged.
CREATE TABLE plan_steps (
  athlete TEXT NOT NULL, seq INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (athlete, seq)
) WITHOUT ROWID;

-- Not clustered by their ids: alerts are too large for that, and those of one time lie
-- together as they are.
CREATE TABLE alerts (
  id TEXT PRIMARY KEY NOT NULL, site TEXT NOT NULL, athlete TEXT NOT NULL, rule TEXT NOT NULL, severity INTEGER NOT NULL,
  state TEXT NOT NULL, opened_us INTEGER NOT NULL, window_kind TEXT NOT NULL, window_from_us INTEGER NOT NULL,
  window_to_us INTEGER NOT NULL, seq INTEGER NOT NULL, data TEXT NOT NULL
);
-- Lists of alerts, newest first, are found without the alerts themselves: among all,
-- of an athlete, and of a kind, everywhere and at a site. See alerts.go.
CREATE INDEX alerts_opened ON alerts(opened_us, id, site, rule, severity, state, athlete);
CREATE INDEX alerts_of ON alerts(athlete, opened_us, id, site, rule, severity, state);
CREATE INDEX alerts_kind ON alerts(rule, severity, state, opened_us, id, athlete);
CREATE INDEX alerts_site_kind ON alerts(site, rule, severity, state, opened_us, id, athlete);
CREATE INDEX alerts_open ON alerts(athlete, severity) WHERE state = 'open';
CREATE INDEX alerts_athlete ON alerts(athlete, window_to_us, id);
CREATE INDEX alerts_due ON alerts(window_kind, window_to_us, id) WHERE state IN ('open', 'acknowledged');
-- The kinds of alerts that there are, or were.
CREATE TABLE alert_kinds (
  site TEXT NOT NULL, rule TEXT NOT NULL, severity INTEGER NOT NULL, state TEXT NOT NULL,
  PRIMARY KEY (site, rule, severity, state)
) WITHOUT ROWID;
CREATE TABLE alert_steps (seq INTEGER PRIMARY KEY, alert TEXT NOT NULL, verb TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX alert_steps_alert ON alert_steps(alert);

-- What people have written down, in every revision.
CREATE TABLE records (
  kind TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL, seq INTEGER NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (kind, id, revision)
) WITHOUT ROWID;

-- Who has read or changed something about an athlete.
CREATE TABLE audit (
  athlete TEXT NOT NULL, at_us INTEGER NOT NULL, seq INTEGER NOT NULL, who TEXT NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (athlete, at_us, seq)
) WITHOUT ROWID;
CREATE INDEX audit_at ON audit(at_us, seq);
CREATE INDEX audit_who ON audit(who, at_us, seq);

CREATE TABLE quarantine (
  id TEXT PRIMARY KEY, received_us INTEGER NOT NULL, data TEXT NOT NULL, released TEXT
) WITHOUT ROWID;
CREATE INDEX quarantine_received ON quarantine(received_us, id);
`

// Bits of reps.given: what the device said itself.
const (
	gaveAthlete = 1 << iota
	gaveExercise
	gaveLoad
	gaveSet
	gaveAll = gaveAthlete | gaveExercise | gaveLoad | gaveSet
)

// Bits of reps.flags.
const (
	flagWarmup = 1 << iota
	flagFailed
	flagHistorical
	flagInvalid
	flagEdited
	// flagDeviceWarmup is what the device said itself, apart from its assignment.
	flagDeviceWarmup
	// flagWithdrawn is set with flagEdited where no correction stands any more.
	flagWithdrawn
)
