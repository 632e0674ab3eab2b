package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is this module's import path.
const module = "github.com/spotterhq/spotter"

// complete says that every station of the house is built. While it is false, a
// rule may name a folder that is not there yet and docs/dependencies.md a module
// that nothing imports yet; when it is true, both are failures, so that no rule
// outlives the thing that it guards.
const complete = true

// source is one Go file: where it lies in the module and what it says.
type source struct {
	dir  string // slash-separated, relative to the module; "." for its root
	name string
	ast  *ast.File
	fset *token.FileSet
}

func (s source) test() bool { return strings.HasSuffix(s.name, "_test.go") }

func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", path.Join(s.dir, s.name), s.fset.Position(n.Pos()).Line)
}

// imports are the import paths of the file.
func (s source) imports() []string {
	var all []string
	for _, spec := range s.ast.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// local is the name by which the file calls an imported package whose own name is
// the last part of its path, or "" when it does not import it.
func (s source) local(importPath string) string {
	for _, spec := range s.ast.Imports {
		if spec.Path.Value != strconv.Quote(importPath) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

// uses lists the places where the file names one of a package's functions.
func (s source) uses(importPath string, functions ...string) []string {
	local := s.local(importPath)
	if local == "" {
		return nil
	}
	var places []string
	ast.Inspect(s.ast, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok || !slices.Contains(functions, selector.Sel.Name) {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && x.Name == local {
			places = append(places, s.at(n)+" uses "+local+"."+selector.Sel.Name)
		}
		return true
	})
	return places
}

// parse reads one Go file for the rules.
func parse(dir, name, text string) (source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path.Join(dir, name), text, parser.ParseComments|parser.SkipObjectResolution)
	return source{dir: dir, name: name, ast: file, fset: fset}, err
}

// sources reads every Go file of the module; other modules inside it, testdata
// and hidden folders are not part of it.
func sources(t *testing.T) []source {
	t.Helper()
	root := filepath.Join("..", "..")
	var all []source
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if file == root {
				return nil
			}
			name := entry.Name()
			_, err := os.Stat(filepath.Join(file, "go.mod"))
			if err == nil || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		s, err := parse(path.Dir(rel), path.Base(rel), string(text))
		if err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no Go file found")
	}
	return all
}

// within says whether a folder is one of the rooms or lies inside one.
func within(dir string, rooms []string) bool {
	for _, room := range rooms {
		if dir == room || strings.HasPrefix(dir, room+"/") {
			return true
		}
	}
	return false
}

// requireFolders fails for every room that a rule names and that has no Go file.
func requireFolders(t *testing.T, all []source, rooms []string) {
	t.Helper()
	for _, room := range rooms {
		there := slices.ContainsFunc(all, func(s source) bool { return within(s.dir, []string{room}) })
		if !there && complete {
			t.Errorf("a rule names %s, which does not exist; drop it from the rule or fix its name", room)
		}
	}
}

// report fails the test with each complaint.
func report(t *testing.T, complaints []string) {
	t.Helper()
	for _, c := range complaints {
		t.Error(c)
	}
}
