// Command dashboards writes the Grafana dashboards that are described here into
// provisioning/dashboards, from where Grafana loads them:
//
//	go run ./dashboards -board https://spotter.example
//
// What is committed there is written without flags; a test compares.
package main

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// localBoard is where docker-compose.yml puts the board.
const localBoard = "http://127.0.0.1:8080"

func main() {
	board := flag.String("board", localBoard, "address under which people reach the board, for the links to it")
	dir := flag.String("dir", filepath.Join("dashboards", "provisioning", "dashboards"), "folder to write to")
	flag.Parse()
	if err := write(*dir, *board); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

func write(dir, board string) error {
	u, err := url.Parse(board)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("board: %q is not an address such as https://spotter.example", board)
	}
	for _, d := range all(board) {
		text, err := encode(&d)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, d.UID+".json"), text, 0o644); err != nil {
			return fmt.Errorf("write dashboard: %w", err)
		}
	}
	return nil
}

func all(board string) []dashboard {
	return []dashboard{team(board), athlete(board), session(board), fleet(board), pipeline(board)}
}

func encode(d *dashboard) ([]byte, error) {
	text, err := json.Marshal(d, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("encode dashboard %s: %w", d.UID, err)
	}
	return append(text, '\n'), nil
}
