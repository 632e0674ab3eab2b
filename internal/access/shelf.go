package access

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofrs/flock"
)

// shelf is a list in a file that is replaced in one step. It is read again when the
// file has changed, and changed by one process at a time.
type shelf[T any] struct {
	path string
	key  string // of the list in the file
	what string // is in it, for errors
	// neverEmpty is true where a file with nothing in it is not to be believed: it
	// is removed instead.
	neverEmpty bool

	mu    sync.Mutex
	known fs.FileInfo // of what items were read from; nil before
	items []T
	index map[string]int // by what keyOf says
	keyOf func(*T) string
}

func newShelf[T any](dir, name, key, what string, keyOf func(*T) string) *shelf[T] {
	return &shelf[T]{path: filepath.Join(dir, name), key: key, what: what, keyOf: keyOf}
}

// list returns what is kept, which is not to be changed.
func (s *shelf[T]) list() ([]T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.load()
	return s.items, err
}

// find returns the item with the key.
func (s *shelf[T]) find(key string) (item T, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return item, false, err
	}
	i, ok := s.index[key]
	if ok {
		item = s.items[i]
	}
	return item, ok, nil
}

// exists reports whether there is a file, as of the last time it was looked at.
func (s *shelf[T]) exists() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known != nil
}

func (s *shelf[T]) load() error {
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		s.items, s.index, s.known = nil, nil, nil
		return nil
	}
	if err == nil && s.known != nil && os.SameFile(info, s.known) && info.ModTime().Equal(s.known.ModTime()) && info.Size() == s.known.Size() {
		return nil
	}
	s.known = nil
	if err != nil {
		return fmt.Errorf("read %s: %w", s.what, err)
	}
	data, err := os.ReadFile(s.path)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.what, err)
	}
	var parts map[string]jsontext.Value
	var items []T
	version := 0
	err = json.Unmarshal(data, &parts)
	if err == nil {
		err = errors.Join(json.Unmarshal(parts["version"], &version), json.Unmarshal(parts[s.key], &items))
	}
	if err != nil {
		return fmt.Errorf("read %s in %s: %w", s.what, s.path, err)
	}
	if version != 1 || s.neverEmpty && len(items) == 0 {
		return fmt.Errorf("read %s in %s: not a list that this program knows", s.what, s.path)
	}
	s.keep(items, info)
	return nil
}

func (s *shelf[T]) keep(items []T, info fs.FileInfo) {
	s.items, s.known, s.index = items, info, make(map[string]int, len(items))
	for i := range items {
		s.index[s.keyOf(&items[i])] = i
	}
}

// change replaces the list by what f makes of a copy of it, unless f returns an
// error. Other processes wait meanwhile.
func (s *shelf[T]) change(f func([]T) ([]T, error)) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lock := flock.New(s.path + ".lock")
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock %s: %w", s.what, err)
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	if err := s.load(); err != nil {
		return err
	}
	items, err := f(slices.Clone(s.items))
	if err != nil {
		return err
	}
	s.known = nil // whatever comes of it, read it again
	if s.neverEmpty && len(items) == 0 {
		err = os.Remove(s.path)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	} else {
		var data []byte
		if items == nil {
			items = []T{}
		}
		if data, err = json.Marshal(map[string]any{"version": 1, s.key: items}, json.Deterministic(true), jsontext.WithIndent("  ")); err == nil {
			err = Replace(s.path, append(data, '\n'))
		}
	}
	if err != nil {
		return fmt.Errorf("save %s: %w", s.what, err)
	}
	return nil
}

// withoutOldest makes room for one more of those that fit, of which there may be so
// many: the first in the list go.
func withoutOldest[T any](all []T, most int, fits func(*T) bool) []T {
	excess := 1 - most
	for i := range all {
		if fits(&all[i]) {
			excess++
		}
	}
	return slices.DeleteFunc(all, func(one T) bool {
		goes := excess > 0 && fits(&one)
		if goes {
			excess--
		}
		return goes
	})
}

// Replace writes a file that only its owner may read, in one step: a crash leaves
// the old or the new one.
func Replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
