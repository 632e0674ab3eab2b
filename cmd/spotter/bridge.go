package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"time"

	"go.bug.st/serial"

	"github.com/spotterhq/spotter/ingest/bridge"
	"github.com/spotterhq/spotter/ingest/mqtt"
	"github.com/spotterhq/spotter/internal/lift"
)

// brokerSettings say how a command other than serve gets to a broker.
type brokerSettings struct {
	Broker     string `help:"MQTT 3.1.1 broker: tcp://, ssl:// or ws://host:port." default:"tcp://127.0.0.1:1883"`
	Username   string `help:"User at the broker, such as main/bar-1."`
	Password   string `help:"Password at the broker; better in SPOTTER_PASSWORD."`
	BrokerCA   string `name:"broker-ca" help:"File with the certificate authority of an ssl:// or wss:// broker, where it is your own." type:"path"`
	BrokerCert string `name:"broker-cert" help:"File with a client's certificate, where the broker demands one." type:"path"`
	BrokerKey  string `name:"broker-key" help:"File with its key." type:"path"`
}

// options are those of the connection, with a client id of its own.
func (c *brokerSettings) options(u *usageError, s streams, purpose string) mqtt.Options {
	checkURL(u, "broker", c.Broker, "tcp", "ssl", "ws", "wss", "mqtt", "mqtts")
	config, err := clientTLS(c.BrokerCA, c.BrokerCert, c.BrokerKey, [3]string{"broker-ca", "broker-cert", "broker-key"})
	if err != nil {
		u.problems = append(u.problems, err)
	}
	return mqtt.Options{
		URL: c.Broker, Username: c.Username, Password: c.Password, TLS: config, Logger: s.log, Now: time.Now,
		ClientID: "spotter-" + purpose + "-" + strings.ToLower(rand.Text()[:8]),
	}
}

// deviceName is SITE/DEVICE, or a device of the site main.
func deviceName(u *usageError, name string) (lift.SiteID, lift.DeviceID) {
	site, device, ok := strings.Cut(name, "/")
	if !ok {
		site, device = "main", name
	}
	if lift.CheckID("site", lift.SiteID(site)) != nil || lift.CheckID("device", lift.DeviceID(device)) != nil {
		u.addf("%q is not SITE/DEVICE, each 1 to 64 of a-z 0-9 _ -", name)
	}
	return lift.SiteID(site), lift.DeviceID(device)
}

type bridgeCommand struct {
	Openbarbell openbarbellCommand `cmd:"" help:"Send the reps of an OpenBarbell that something else listens to over Bluetooth."`
	Repone      reponeCommand      `cmd:"" help:"Send the reps of a RepOne that something else listens to over Bluetooth."`
}

// bridgeSettings are common to all sensors.
type bridgeSettings struct {
	brokerSettings `embed:""`
	Device         string `arg:"" help:"The bar's device as SITE/DEVICE, or one of the site main."`
}

type openbarbellCommand struct {
	bridgeSettings `embed:""`
	Input          string `help:"What comes in: hex, a line for each notification as gatttool, bluetoothctl or nRF Connect print it; or binary, their bytes one after the other." enum:"hex,binary" default:"hex"`
	Serial         string `help:"Serial port to read instead of standard input, such as /dev/ttyUSB0."`
	Baud           int    `help:"Its speed." default:"115200"`
}

// Run sends reps until the input or the context ends.
func (c *openbarbellCommand) Run(ctx context.Context, s streams) error {
	return c.run(ctx, s, func(ctx context.Context, to bridge.Sink) error {
		in, err := c.open(ctx, s)
		if err != nil {
			return err
		}
		if c.Input == "binary" {
			return bridge.ReadStream(ctx, in, new(bridge.OpenBarbell), to)
		}
		return bridge.ReadHex(in, new(bridge.OpenBarbell), to)
	})
}

// open returns the input; a serial port is closed when the context ends.
func (c *openbarbellCommand) open(ctx context.Context, s streams) (io.Reader, error) {
	if c.Serial == "" {
		return s.in, nil
	}
	port, err := serial.Open(c.Serial, &serial.Mode{BaudRate: c.Baud})
	if err != nil {
		return nil, fmt.Errorf("--serial: open %s: %w", c.Serial, err)
	}
	context.AfterFunc(ctx, func() { _ = port.Close() })
	return port, nil
}

type reponeCommand struct {
	bridgeSettings `embed:""`
}

// Run sends reps until the input or the context ends.
func (c *reponeCommand) Run(ctx context.Context, s streams) error {
	return c.run(ctx, s, func(_ context.Context, to bridge.Sink) error {
		return bridge.ReadHex(s.in, new(bridge.RepOne), to)
	})
}

// run connects what read finds to the broker, and ends once everything that came before
// the end of the input is acknowledged.
func (c *bridgeSettings) run(ctx context.Context, s streams, read func(context.Context, bridge.Sink) error) error {
	var u usageError
	o := c.options(&u, s, "bridge")
	site, device := deviceName(&u, c.Device)
	if err := u.orNil(); err != nil {
		return err
	}
	status := func(state lift.DeviceState) *mqtt.Retained {
		return &mqtt.Retained{
			Topic:   "spotter/v1/" + string(site) + "/device/" + string(device) + "/status",
			Payload: []byte(`{"state":"` + string(state) + `","firmware":"spotter-bridge ` + version + `"}`),
		}
	}
	o.Greeting, o.Will = status(lift.DeviceReady), status(lift.DeviceLost)
	said := ""
	o.OnTrouble = func(err error) {
		if err.Error() != said {
			said = err.Error()
			s.log.Warn("no connection to the broker; trying again until there is one", "error", err)
		}
	}
	publisher := mqtt.NewPublisher(o)
	// The connection outlives the context, to say goodbye.
	connected, disconnect := context.WithCancel(context.WithoutCancel(ctx))
	defer disconnect()
	connection := make(chan struct{})
	go func() {
		defer close(connection)
		_ = publisher.Run(connected) // ends with its context, and for no other reason
	}()

	b := bridge.New(ctx, bridge.Options{
		Site: site, Device: device, Publisher: publisher, Now: time.Now, Logger: s.log,
		BootID: func() string { return "bridge-" + strings.ToLower(rand.Text()[:12]) },
	})
	// Reading standard input cannot be interrupted: the goroutine ends with the program.
	input := make(chan error, 1)
	go func() {
		err := read(ctx, b)
		b.Close()
		input <- err
	}()
	err := b.Run(ctx)
	if err == nil {
		err = <-input
	}
	goodbye, cancel := context.WithTimeout(connected, 2*time.Second)
	asleep := status(lift.DeviceSleeping)
	if publisher.Connected() && publisher.Retain(goodbye, asleep.Topic, asleep.Payload) != nil {
		s.log.Warn("the broker did not hear that the bridge ends")
	}
	cancel()
	disconnect()
	<-connection
	fmt.Fprintf(s.err, "%d reps acknowledged, %d not sent, %d times something was dropped\n", b.Sent.Load(), b.Taken.Load()-b.Sent.Load(), b.Lost.Load())
	if unsent := b.Taken.Load() - b.Sent.Load(); unsent > 0 {
		return fmt.Errorf("%d reps were not acknowledged by the broker and are lost", unsent)
	}
	return err
}
