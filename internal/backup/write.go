package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"github.com/spotterhq/spotter/internal/journal"
)

// Options of a backup. All fields but Samples are required.
type Options struct {
	Log     *journal.Log
	Data    string // folder whose small files belong to it
	Samples bool   // bar velocity too
	Version string // of the program
	Now     func() time.Time
}

// Write writes a backup of everything up to now. It takes as long as w takes it; the
// log goes on meanwhile. On an error what was written is no backup.
func Write(ctx context.Context, w io.Writer, o Options) (Manifest, error) {
	compressed, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return Manifest{}, fmt.Errorf("write backup: %w", err)
	}
	a := &archive{tar: tar.NewWriter(compressed), now: o.Now().UTC().Truncate(time.Second)}
	if err := a.fill(ctx, o); err != nil {
		return Manifest{}, fmt.Errorf("write backup: %w", err)
	}
	if err := errors.Join(a.tar.Close(), compressed.Close()); err != nil {
		return Manifest{}, fmt.Errorf("write backup: %w", err)
	}
	return a.manifest, nil
}

// archive is a backup that is being written.
type archive struct {
	tar      *tar.Writer
	now      time.Time
	manifest Manifest
}

func (a *archive) fill(ctx context.Context, o Options) error {
	// The positions first: what a follower has done since is done again, and nothing
	// is left out.
	positions, err := o.Log.Positions(ctx)
	if err != nil {
		return err
	}
	events, samples, err := o.Log.Ends(ctx)
	if err != nil {
		return err
	}
	m := &a.manifest
	m.Begin = Begin{Format: Format, Version: o.Version, Made: a.now, UpTo: events, Positions: positions}
	if o.Samples {
		m.SamplesUpTo = samples
	}
	if err := a.document(beginName, &m.Begin); err != nil {
		return err
	}
	if err := a.files(o.Data); err != nil {
		return err
	}
	if m.Events, err = a.lines(ctx, eventsDir, m.UpTo, o.Log.Scan); err != nil {
		return err
	}
	if o.Samples {
		if m.Samples, err = a.lines(ctx, samplesDir, m.SamplesUpTo, o.Log.ScanAllSamples); err != nil {
			return err
		}
	}
	return a.document(manifestName, m)
}

func (a *archive) document(name string, content any) error {
	text, err := json.Marshal(content, jsontext.WithIndent(" "))
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return a.part(name, text, 0)
}

func (a *archive) part(name string, data []byte, lines int) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data)), Mode: 0o600, ModTime: a.now, Format: tar.FormatPAX}
	if err := a.tar.WriteHeader(header); err != nil {
		return err
	}
	if _, err := a.tar.Write(data); err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	a.manifest.Parts = append(a.manifest.Parts, Part{name, int64(len(data)), lines, hex.EncodeToString(sum[:])})
	return nil
}

// files writes the small files of a data folder.
func (a *archive) files(data string) error {
	root := os.DirFS(data)
	return fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && name != "tls" && name != "tls/clients" {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !keeps(name) {
			return nil
		}
		content, err := fs.ReadFile(root, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // replaced or deleted at this moment
		}
		if err != nil {
			return err
		}
		if len(content) > maxFile {
			return fmt.Errorf("%s has %d bytes, more than a file here should", filepath.Join(data, name), len(content))
		}
		return a.part(filesDir+name, content, 0)
	})
}

// lines writes what scan finds up to a sequence, and returns how much that was.
func (a *archive) lines(ctx context.Context, dir string, upTo uint64, scan func(context.Context, uint64, func(*journal.Entry) error) error) (int64, error) {
	var buf bytes.Buffer
	total, lines, parts := int64(0), 0, 0
	flush := func() error {
		if lines == 0 {
			return nil
		}
		parts++
		err := a.part(fmt.Sprintf("%s%06d.jsonl", dir, parts), buf.Bytes(), lines)
		total += int64(lines)
		lines = 0
		buf.Reset()
		return err
	}
	err := scan(ctx, upTo, func(e *journal.Entry) error {
		event, err := json.Marshal(&e.Event)
		if err == nil {
			err = json.MarshalWrite(&buf, &line{e.Seq, event})
		}
		if err != nil {
			return fmt.Errorf("encode event %d: %w", e.Seq, err)
		}
		buf.WriteByte('\n')
		if lines++; buf.Len() < partSize {
			return nil
		}
		return flush()
	})
	err = errors.Join(err, flush())
	return total, err
}
