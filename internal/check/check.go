// Package check looks at what a server stands on, before it is started or beside it,
// and says in plain words what is well, what is not, and what to do: the folder, the
// disk, the clock, certificates, a broker's window. It changes nothing but for a probe
// file that it removes again.
package check

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Level is how a finding is to be taken.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Warning Level = "warning" // it works, but not well, or not for long
	Problem Level = "problem" // it does not work
)

// Finding is one thing that was looked at.
type Finding struct {
	Level Level  `json:"level"`
	What  string `json:"what"` // disk, clock …
	Says  string `json:"says"`
	Do    string `json:"do,omitzero"` // what to do about it
}

// Report is what was found, in the order of looking.
type Report struct {
	Findings []Finding `json:"findings"`
}

// Add notes a finding.
func (r *Report) Add(level Level, what, says, do string) {
	r.Findings = append(r.Findings, Finding{level, what, says, do})
}

// Count is how many findings are of a level.
func (r *Report) Count(level Level) int {
	n := 0
	for _, f := range r.Findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// Folder looks at who may read a data folder.
func (r *Report) Folder(dir string) {
	const what = "folder"
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.Add(OK, what, dir+" is not there yet: the first start makes it", "")
		return
	case err != nil:
		r.Add(Problem, what, err.Error(), "give --data a folder that this user may read and write")
		return
	case !info.IsDir():
		r.Add(Problem, what, dir+" is not a folder", "give --data a folder")
		return
	}
	open := info.Mode().Perm()&0o077 != 0
	var exposed []string
	names, err := os.ReadDir(dir)
	if err != nil {
		r.Add(Problem, what, err.Error(), "let this user read and write the folder")
		return
	}
	for _, d := range names {
		if i, err := d.Info(); err == nil && i.Mode().IsRegular() && i.Mode().Perm()&0o077 != 0 {
			exposed = append(exposed, d.Name())
		}
	}
	switch {
	case open && len(exposed) > 0:
		r.Add(Warning, what, fmt.Sprintf("others on this machine can read %s in %s: health data", strings.Join(exposed, ", "), dir), "chmod -R go= "+dir)
	case open:
		r.Add(Warning, what, fmt.Sprintf("others on this machine can list %s", dir), "chmod go= "+dir)
	default:
		r.Add(OK, what, dir+" is for its owner alone", "")
	}
}

// Limits of how full a disk may be, as shares in use.
type Limits struct{ NearlyFull, Full float64 }

// Disk says how full a disk is.
func (r *Report) Disk(used float64, at Limits) {
	const what = "disk"
	says := fmt.Sprintf("%.0f %% in use", 100*used)
	switch {
	case used <= 0:
		r.Add(OK, what, "how full it is cannot be told on this system", "")
	case used >= at.Full:
		r.Add(Problem, what, says+": nothing is acknowledged", "make room: nothing that was acknowledged is deleted for it")
	case used >= at.NearlyFull:
		r.Add(Warning, what, fmt.Sprintf("%s: bar velocity is not stored; from %.0f %% on nothing is acknowledged", says, 100*at.Full), "make room")
	default:
		r.Add(OK, what, says, "")
	}
}

// probes is how often the disk is asked.
const probes = 40

// Sync measures how long the folder's disk takes to sync one small write: what each
// acknowledgement waits for. It returns the middle of some, 0 where it cannot be told.
func (r *Report) Sync(dir string, now func() time.Time) time.Duration {
	const what = "sync"
	for { // a folder that is to be made is on its parent's disk
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	took, err := syncs(dir, now)
	if err != nil {
		r.Add(Problem, what, err.Error(), "let this user write to the folder")
		return 0
	}
	middle, slow := took[len(took)/2], took[len(took)*95/100]
	says := fmt.Sprintf("a write is on disk after %s, 95 %% within %s", short(middle), short(slow))
	switch {
	case middle <= 10*time.Millisecond:
		r.Add(OK, what, says, "")
	case middle <= 50*time.Millisecond:
		r.Add(Warning, what, says+": acknowledgements and alerts wait for it", "a disk with a write cache of its own is faster; or --fsync 100ms, which a power cut can cost the last 100 ms")
	default:
		r.Add(Warning, what, says+": very slow, alerts come late", "use another disk, not one across a network; or --fsync 100ms, which a power cut can cost the last 100 ms")
	}
	return middle
}

func short(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

// syncs measures and removes the file again. The durations are sorted.
func syncs(dir string, now func() time.Time) (took []time.Duration, err error) {
	file, err := os.CreateTemp(dir, ".check-*")
	if err != nil {
		return nil, fmt.Errorf("measure disk: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	block := make([]byte, 4096)
	for range probes {
		began := now()
		if _, err := file.Write(block); err != nil {
			return nil, fmt.Errorf("measure disk: %w", err)
		}
		if err := file.Sync(); err != nil {
			return nil, fmt.Errorf("measure disk: %w", err)
		}
		took = append(took, now().Sub(began))
	}
	slices.Sort(took)
	return took, nil
}

// Limits of a clock: devices raise an alert, and messages from the future are
// refused, from these offsets on.
const (
	clockOff   = 30 * time.Second
	clockWrong = 2 * time.Minute
)

// Clock compares this machine's clock with somebody else's. That is told in whole
// seconds.
func (r *Report) Clock(of string, theirs, ours time.Time) {
	const what = "clock"
	off := ours.Sub(theirs)
	says := fmt.Sprintf("within a second of %s", of)
	if math.Abs(off.Seconds()) > 2 {
		says = fmt.Sprintf("%s off from %s", off.Round(time.Second), of)
	}
	switch {
	case off.Abs() >= clockWrong:
		r.Add(Problem, what, says+": reps seem to come from the past or the future", "let NTP set the clock of both machines")
	case off.Abs() >= clockOff:
		r.Add(Warning, what, says, "let NTP set the clock of both machines")
	default:
		r.Add(OK, what, says, "")
	}
}

// Kernel says whether the system believes that its clock is right.
func (r *Report) Kernel() {
	const what = "clock"
	switch synced, known := kernelClock(); {
	case !known:
		r.Add(OK, what, "whether it is right cannot be told here: see to it that NTP sets it", "")
	case !synced:
		r.Add(Warning, what, "the system says that nobody sets it", "let NTP set it (chrony, systemd-timesyncd): sensors' times are compared with it")
	default:
		r.Add(OK, what, "the system says that it is set by NTP", "")
	}
}

// Certificate says how long a certificate is valid.
func (r *Report) Certificate(of string, until, now time.Time, soon time.Duration, do string) {
	const what = "certificate"
	says := fmt.Sprintf("%s is valid until %s", of, until.Format(time.DateOnly))
	switch left := until.Sub(now); {
	case left <= 0:
		r.Add(Problem, what, fmt.Sprintf("%s has expired on %s", of, until.Format(time.DateOnly)), do)
	case left < soon:
		r.Add(Warning, what, says+": soon", do)
	default:
		r.Add(OK, what, says, "")
	}
}

// enough is how many messages a second a broker should hand over: a large gym with a
// rep a second on each of its bars, ten times over.
const enough = 500

// Window says what a broker's window, of messages that are under way before it waits
// for acknowledgements, allows where an append takes so long. least is true where the
// window may be larger.
func (r *Report) Window(window int, least bool, appending time.Duration) {
	const what = "window"
	if window == 0 {
		r.Add(Warning, what, "how many messages the broker has under way cannot be measured: it does not let this user publish to spotter/check/…",
			"for Mosquitto set max_inflight_messages 0 and max_queued_messages 0")
		return
	}
	rate := float64(window) / max(appending, 100*time.Microsecond).Seconds()
	size := fmt.Sprintf("%d messages under way", window)
	if least {
		size = "at least " + size
	}
	says := fmt.Sprintf("%s, an append after %s: up to %.0f messages a second", size, short(appending), rate)
	if rate < enough {
		r.Add(Warning, what, says, "let the broker have more under way: for Mosquitto max_inflight_messages 0")
		return
	}
	r.Add(OK, what, says, "")
}
