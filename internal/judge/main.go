// Command judge measures how far the alerts can be trusted: it makes athletes up,
// injects truths into their training, runs what they lift through package analysis
// event by event, and counts what was told, what was missed and what was told
// without cause. make judge runs it and writes docs/judge.md and, where real
// training logs are beside the project, docs/judge-logs.md. Everything follows from
// the seed: the same run writes the same bytes.
//
// It fails when live running and judging at once differ, when something is told
// twice, when a red flag is missed, or when weekly-volume is not what its
// definition, computed by other code, says. Aims that are missed are told on the
// page and do not fail it.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

type options struct {
	seed     uint64
	athletes int
	quiet    int
	weeks    int
	rates    int
	docs     string
	logs     string
}

func main() {
	var o options
	flag.Uint64Var(&o.seed, "seed", 20261124, "what everything follows from")
	flag.IntVar(&o.athletes, "athletes", 1000, "athletes with injected truths")
	flag.IntVar(&o.quiet, "quiet", 300, "athletes without any")
	flag.IntVar(&o.weeks, "weeks", 26, "weeks of each")
	flag.IntVar(&o.rates, "rates", 900, "histories for each line of the simulation tables")
	flag.StringVar(&o.docs, "docs", "docs", "folder of the pages")
	flag.StringVar(&o.logs, "logs", "", "folder of real training logs; shared/data beside the project unless given")
	flag.Parse()
	if err := o.run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}

func (o *options) run(out io.Writer) error {
	r, err := o.judge()
	if err != nil {
		return err
	}
	var page bytes.Buffer
	r.write(&page)
	if err := os.WriteFile(filepath.Join(o.docs, "judge.md"), page.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	if err := o.realLogs(out); err != nil {
		return fmt.Errorf("real logs: %w", err)
	}
	broken := r.broken()
	for _, b := range broken[:min(20, len(broken))] {
		fmt.Fprintln(out, b)
	}
	if len(broken) > 0 {
		return fmt.Errorf("%d things are not as they must be", len(broken))
	}
	return nil
}

func (o *options) judge() (*results, error) {
	lives, err := cohort(o.seed, o.athletes, o.weeks, true)
	if err != nil {
		return nil, fmt.Errorf("athletes with truths: %w", err)
	}
	quiet, err := cohort(o.seed+1, o.quiet, o.weeks, false)
	if err != nil {
		return nil, fmt.Errorf("athletes without truths: %w", err)
	}
	return &results{seed: o.seed, weeks: o.weeks, lives: lives, quiet: quiet, rates: rates(o.seed, o.rates)}, nil
}
