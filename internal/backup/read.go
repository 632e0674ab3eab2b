package backup

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"

	"github.com/spotterhq/spotter/internal/journal"
)

// ErrDamaged says that something is no backup, or not the whole of one. Nothing of
// it should be used.
var ErrDamaged = errors.New("this is no whole backup")

func damaged(format string, a ...any) error {
	return fmt.Errorf("%w: %w", ErrDamaged, fmt.Errorf(format, a...))
}

// maxMemory bounds what decompression may take.
const maxMemory = 64 << 20

// Verify reads an archive to its end and reports whether it is whole. progress,
// where set, is told the last sequence read and the last there will be. The error is
// ErrDamaged with the reason, or r's own.
func Verify(r io.Reader, progress func(done, total uint64)) (Manifest, error) {
	return read(r, visitor{progress: progress})
}

// visitor is told what an archive holds, in its order, before it is known whether
// the archive is whole. Each function may be nil.
type visitor struct {
	begin    func(Begin) error
	file     func(name string, data []byte) error
	event    func(seq uint64, e journal.Event) error
	sample   func(seq uint64, e journal.Event) error
	progress func(done, total uint64)
}

// reading is an archive that is being read.
type reading struct {
	visitor
	begun    Begin
	manifest *Manifest
	parts    []Part
	events   int64
	samples  int64
	last     map[string]uint64 // sequence, by folder
	count    map[string]int    // parts, by folder
}

func read(r io.Reader, v visitor) (Manifest, error) {
	compressed, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxMemory), zstd.WithDecoderMaxWindow(maxMemory))
	if err != nil {
		return Manifest{}, damaged("%w", err)
	}
	defer compressed.Close()
	in := &reading{visitor: v, last: map[string]uint64{}, count: map[string]int{}}
	parts := tar.NewReader(compressed)
	for {
		header, err := parts.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Manifest{}, damaged("%w", err)
		}
		if err := in.part(header, parts); err != nil {
			return Manifest{}, err
		}
	}
	if in.manifest == nil {
		return Manifest{}, damaged("it has no end: it was cut off")
	}
	// The checksum of the compression comes after the end of the tar file.
	padding, err := io.ReadAll(io.LimitReader(compressed, 1<<20))
	if err != nil {
		return Manifest{}, damaged("%w", err)
	}
	if len(bytes.Trim(padding, "\x00")) > 0 || len(padding) == 1<<20 {
		return Manifest{}, damaged("something follows its end")
	}
	return *in.manifest, nil
}

func (in *reading) part(header *tar.Header, content io.Reader) error {
	name := header.Name
	if header.Typeflag != tar.TypeReg {
		return damaged("%.200q is no plain file", name)
	}
	if header.Size > maxPart {
		return damaged("%.200q has %d bytes, more than a part has", name, header.Size)
	}
	data, err := io.ReadAll(content)
	if err != nil {
		return damaged("%.200q: %w", name, err)
	}
	switch {
	case in.manifest != nil:
		return damaged("%.200q follows its end", name)
	case (name == beginName) != (len(in.parts) == 0):
		return damaged("it does not begin with %s", beginName)
	}
	lines := 0
	switch dir, rest := folder(name); {
	case name == beginName:
		err = in.document(name, data, &in.begun)
		if err == nil && (in.begun.Format < 1 || in.begun.Format > Format) {
			return fmt.Errorf("the backup has format %d, which this program does not know: it was made by version %.40q", in.begun.Format, in.begun.Version)
		}
		if err == nil && in.visitor.begin != nil {
			err = in.visitor.begin(in.begun)
		}
	case name == manifestName:
		in.manifest = new(Manifest)
		if err := in.document(name, data, in.manifest); err != nil {
			return err
		}
		return in.compare()
	case dir == filesDir && keeps(rest):
		if in.file != nil {
			err = in.file(rest, data)
		}
	case (dir == eventsDir || dir == samplesDir) && rest == fmt.Sprintf("%06d.jsonl", in.count[dir]+1):
		in.count[dir]++
		lines, err = in.lines(name, dir, data)
	default:
		return damaged("%.200q does not belong into a backup, or not here", name)
	}
	sum := sha256.Sum256(data)
	in.parts = append(in.parts, Part{name, int64(len(data)), lines, hex.EncodeToString(sum[:])})
	return err
}

func folder(name string) (dir, rest string) {
	before, rest, ok := strings.Cut(name, "/")
	if !ok {
		return "", name
	}
	return before + "/", rest
}

func (in *reading) document(name string, data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return damaged("%s: %w", name, err)
	}
	return nil
}

// lines reads the events of a part.
func (in *reading) lines(name, dir string, data []byte) (n int, err error) {
	visit, upTo, count := in.event, in.begun.UpTo, &in.events
	if dir == samplesDir {
		visit, upTo, count = in.sample, in.begun.SamplesUpTo, &in.samples
	}
	for text := range bytes.Lines(data) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return n, damaged("%s, line %d: %w", name, n+1, err)
		}
		e, err := journal.Decode(l.Event)
		if err != nil {
			return n, damaged("%s, line %d: %w", name, n+1, err)
		}
		if l.Seq <= in.last[dir] || l.Seq > upTo {
			return n, damaged("%s, line %d: sequence %d is out of order", name, n+1, l.Seq)
		}
		if (e.Kind == journal.KindSamples) != (dir == samplesDir) {
			return n, damaged("%s, line %d: an event of %.40q does not belong here", name, n+1, string(e.Kind))
		}
		in.last[dir] = l.Seq
		n++
		*count++
		if visit == nil {
			continue
		}
		if err := visit(l.Seq, e); err != nil {
			return n, err
		}
	}
	if in.progress != nil {
		in.progress(in.last[eventsDir]+in.last[samplesDir], in.begun.UpTo+in.begun.SamplesUpTo)
	}
	return n, nil
}

// compare holds what was read against the manifest.
func (in *reading) compare() error {
	m := in.manifest
	if !slices.Equal(m.Parts, in.parts) {
		for i, p := range m.Parts {
			if i >= len(in.parts) || in.parts[i] != p {
				return damaged("%.200q is not what the manifest says, or missing", p.Name)
			}
		}
		return damaged("%.200q is not in the manifest", in.parts[len(m.Parts)].Name)
	}
	if m.Events != in.events || m.Samples != in.samples || m.UpTo != in.begun.UpTo || m.SamplesUpTo != in.begun.SamplesUpTo {
		return damaged("the manifest counts %d events and %d chunks of samples, there are %d and %d", m.Events, m.Samples, in.events, in.samples)
	}
	return nil
}
