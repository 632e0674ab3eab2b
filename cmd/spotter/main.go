// Command spotter is the session monitor for the barbell: one binary that takes
// reps from bar sensors over MQTT, keeps them in a durable log, writes them to
// InfluxDB, judges every lifter's training and tells the coach.
//
// This package only parses the command line and wires the parts together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// version is set by the build.
var version = "dev"

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// stopTimeout is how long the program takes to end at most, once it was told to.
const stopTimeout = 10 * time.Second

type commandLine struct {
	LogLevel  slog.Level `help:"Least level of what is logged: debug, info, warn or error." default:"info"`
	LogFormat string     `help:"How it is logged: text, or json for programs that collect logs." enum:"text,json" default:"text"`

	Serve       serveCommand       `cmd:"" help:"Run the server."`
	Demo        demoCommand        `cmd:"" help:"Show everything with simulated lifters, in a temporary folder."`
	Simulate    simulateCommand    `cmd:"" help:"Let simulated lifters train on any MQTT broker."`
	Device      deviceCommand      `cmd:"" help:"Credentials of sensors, gateways and kiosks for the embedded broker."`
	TLS         tlsCommand         `cmd:"" name:"tls" help:"Certificates for HTTP and the embedded broker, by an authority of your own."`
	Token       tokenCommand       `cmd:"" help:"Tokens of the HTTP API."`
	Quarantine  quarantineCommand  `cmd:"" help:"Messages that could not be used."`
	Import      importCommand      `cmd:"" help:"Bring an athlete's training history from exports of sensors and apps."`
	Backtest    backtestCommand    `cmd:"" help:"Judge history under other limits: what fired, what would have, and the difference."`
	Check       checkCommand       `cmd:"" help:"Say what is well with a server, with what one would stand on, or with a device, and what to do."`
	Bridge      bridgeCommand      `cmd:"" help:"Send the reps of sensors that do not speak MQTT."`
	Backup      backupCommand      `cmd:"" help:"Write everything into one file, of a running server or of a folder."`
	Restore     restoreCommand     `cmd:"" help:"Make a data folder of a backup."`
	Export      exportCommand      `cmd:"" help:"Write what is known into files: everything about one athlete, or reps and sets as tables."`
	Erase       eraseCommand       `cmd:"" help:"Erase everything about one athlete, everywhere, and print the receipt."`
	Rebuild     rebuildCommand     `cmd:"" help:"Build the view anew from the log."`
	Healthcheck healthcheckCommand `cmd:"" help:"Ask a running server whether it lives."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

// streams are what a command reads, and where it writes: results to out, everything else
// to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
	log      *slog.Logger
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() {
		stop() // a second signal ends the program at once
		time.AfterFunc(stopTimeout, func() {
			fmt.Fprintf(os.Stderr, "spotter: did not stop within %v and is ended; what was acknowledged is in the log\n", stopTimeout)
			os.Exit(exitFailed)
		})
	})
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	var cli commandLine
	parser, err := kong.New(&cli,
		kong.Name("spotter"),
		kong.Description("Spotter watches the bar: reps over MQTT, load rules, alerts with evidence."),
		kong.DefaultEnvars("SPOTTER"),
		kong.UsageOnError(),
		kong.Writers(out, errOut),
		kong.Exit(func(int) {}),
	)
	if err != nil {
		fmt.Fprintln(errOut, "spotter:", err)
		return exitFailed
	}
	for _, a := range args {
		if a == "--help" || a == "-h" {
			_, _ = parser.Parse(args) // prints the help
			return 0
		}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(errOut, "spotter:", err)
		return exitUsage
	}
	s := streams{in: os.Stdin, out: out, err: errOut, log: cli.logger(errOut)}
	parsed.BindTo(ctx, (*context.Context)(nil))
	err = parsed.Run(s)
	var usage *usageError
	switch {
	case err == nil, errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintln(errOut, "spotter:", err)
		return exitUsage
	}
	fmt.Fprintln(errOut, "spotter:", err)
	return exitFailed
}

// logger writes to out in the format that was asked for.
func (c *commandLine) logger(out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}

// usageError is every setting that cannot be used, by its name.
type usageError struct{ problems []error }

func (e *usageError) Error() string { return errors.Join(e.problems...).Error() }

func (e *usageError) addf(format string, args ...any) {
	e.problems = append(e.problems, fmt.Errorf(format, args...))
}

// orNil is the error, nil where there is no problem.
func (e *usageError) orNil() error {
	if len(e.problems) == 0 {
		return nil
	}
	return e
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, version)
	return err
}
