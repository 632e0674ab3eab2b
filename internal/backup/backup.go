// Package backup writes everything that an installation has been told into one
// archive, while it runs, and makes an installation of such an archive.
//
// An archive is a tar file compressed with Zstandard. In this order it holds
//
//	begin.json             what is to come
//	files/…                the small files of the data folder
//	events/000001.jsonl …  the log's events in its order, one a line
//	samples/000001.jsonl … bar velocity, where it was asked for
//	manifest.json          every part before it, with its size and SHA-256
//
// The manifest comes last: what was cut off has none and is no backup. Everything
// is read and written as a stream, with no more than a part in memory.
//
// # Guarantees
//
//  1. A backup holds each event up to one sequence of the log, none beyond it, and
//     every one that was acknowledged before it began.
//  2. Nothing of an archive is used before the whole of it has been verified.
//  3. What is restored leads to the same view, and to the same final alerts.
//
// A data folder that is being restored into is marked, so that no server starts on
// half of it.
package backup

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/spotterhq/spotter/internal/access"
)

// Format is that of the archives that are written; an older one is read.
const Format = 1

const (
	beginName    = "begin.json"
	manifestName = "manifest.json"
	filesDir     = "files/"
	eventsDir    = "events/"
	samplesDir   = "samples/"
	// partSize is after how many bytes a part of lines ends; the line that exceeds it
	// still belongs to it.
	partSize = 4 << 20
	// maxPart is the largest part that is read: a part of lines, and a line of the
	// largest event that the log takes.
	maxPart = partSize + 9<<20
	// maxFile is the largest of the small files.
	maxFile = 8 << 20
)

// Begin says what is to come.
type Begin struct {
	Format      int       `json:"format"`
	Version     string    `json:"version"` // of the program
	Made        time.Time `json:"made"`
	UpTo        uint64    `json:"up_to"`         // the last sequence of the log
	SamplesUpTo uint64    `json:"samples_up_to"` // of bar velocity; 0 where it is left out
	// Positions are how far the log's followers had come, by name.
	Positions map[string]uint64 `json:"positions,omitempty"`
}

// Part is one part of an archive.
type Part struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"` // bytes
	Lines  int    `json:"lines,omitzero"`
	SHA256 string `json:"sha256"`
}

// Manifest is the end of an archive.
type Manifest struct {
	Begin
	Events  int64  `json:"events"`
	Samples int64  `json:"samples"` // chunks
	Parts   []Part `json:"parts"`
}

// line is one event of a part.
type line struct {
	Seq   uint64         `json:"seq"`
	Event jsontext.Value `json:"event"`
}

// Made is a backup that was made.
type Made struct {
	At      time.Time `json:"at"`
	By      string    `json:"by,omitzero"` // who asked a server for it; "" where it was made on the folder
	UpTo    uint64    `json:"up_to"`
	Events  int64     `json:"events"`
	Samples bool      `json:"samples,omitzero"` // bar velocity too
}

const listName = "backups.json"

type list struct {
	Version int    `json:"version"`
	Backups []Made `json:"backups"`
}

// List returns the backups that were made of a data folder, oldest first. They hold
// what was known then: also of people who have been erased since.
func List(data string) ([]Made, error) {
	text, err := os.ReadFile(filepath.Join(data, listName))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list backups: %w", err)
	}
	var l list
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("list backups: %w", err)
	}
	if l.Version != 1 {
		return nil, fmt.Errorf("list backups: version %d is not known to this program", l.Version)
	}
	return l.Backups, nil
}

// Note adds a backup to the list of a data folder. It must not be called by two at
// the same time.
func Note(data string, made Made) error {
	all, err := List(data)
	if err != nil {
		return err
	}
	text, err := json.Marshal(&list{1, append(all, made)}, jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("note backup: %w", err)
	}
	if err := access.Replace(filepath.Join(data, listName), append(text, '\n')); err != nil {
		return fmt.Errorf("note backup: %w", err)
	}
	return nil
}

// keeps reports whether a file of the data folder belongs into a backup: all lists
// and keys but for the sessions of people who are signed in, and the authority with
// its certificates. The log is there as events, and everything else follows from it.
func keeps(name string) bool {
	dir, base, nested := strings.Cut(name, "/")
	if nested {
		return dir == "tls" && (isPlain(base) || strings.HasPrefix(base, "clients/") && isPlain(strings.TrimPrefix(base, "clients/"))) &&
			slices.Contains([]string{".crt", ".key"}, filepath.Ext(name))
	}
	return isPlain(name) && name != "sessions.json" && slices.Contains([]string{".json", ".key"}, filepath.Ext(name))
}

// isPlain reports whether a name is of letters, digits, dots, dashes and underscores,
// and begins with a letter or digit: it stays in its folder on every system.
func isPlain(name string) bool {
	for i, r := range name {
		word := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !word && (i == 0 || !strings.ContainsRune("._-", r)) {
			return false
		}
	}
	return name != "" && len(name) <= 100
}
