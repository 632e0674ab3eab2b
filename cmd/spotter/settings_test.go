package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// usable are settings without a fault.
func usable() serveCommand {
	return serveCommand{
		logSettings: logSettings{NatsReplicas: 1, Fsync: "always"}, HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0", Zone: "UTC",
	}
}

func TestASitesExercisesAreReadAtTheStart(t *testing.T) {
	c := usable()
	c.Exercises = filepath.Join(t.TempDir(), "exercises.json")
	if err := os.WriteFile(c.Exercises, []byte(`[{"id":"plate-drag","name":"Plate drag","pattern":"carry","spinal_load":"low"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.validate(); err != nil {
		t.Fatal(err)
	}
	catalogue, err := c.catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plate drag", "Deadlift (Barbell)"} {
		if _, ok := catalogue.Match(name); !ok {
			t.Errorf("%s is not known", name)
		}
	}
}

func TestASitesExercisesAreReportedWithTheOtherSettings(t *testing.T) {
	for _, mistake := range []struct{ file, want string }{
		{`[{"id":"drag","name":"Drag","pattern":"x","spinal_load":"y"}]`,
			"--exercises: line 1: exercise \"drag\": pattern: \"x\" is none of hinge, squat, lunge, push, pull, olympic, jump, carry, core, isolation, mobility, cardio\n" +
				"--exercises: line 1: exercise \"drag\": spinal_load: \"y\" is none of none, low, moderate, high"},
		{`[{"id":"drag","name":"Squat","pattern":"carry","spinal_load":"low"}]`,
			`--exercises: exercise "drag": name: "Squat" names the exercise squat already`},
		{`{}`, "--exercises: exercises are a JSON list: begin with ["},
		{"", "--exercises: no such file or directory"},
	} {
		c := usable()
		c.Zone, c.Exercises = "Nowhere", filepath.Join(t.TempDir(), "exercises.json")
		if mistake.file != "" {
			if err := os.WriteFile(c.Exercises, []byte(mistake.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := c.validate()
		if err == nil || !strings.Contains(err.Error(), mistake.want) || !strings.Contains(err.Error(), "--zone: ") {
			t.Errorf("%s: error\n%v\nwant\n%s", mistake.file, err, mistake.want)
		}
	}
}

// Secrets stand in files, so that neither the command line nor the environment shows
// them; a cluster is a list of servers.
func TestAddressesAndSecretsAreReadFromFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const cluster = "nats://spotter:secret@nats-1:4222,nats://spotter:secret@nats-2:4222"
	c := usable()
	c.MQTTBroker, c.MQTTUsername = "tcp://broker:1883", "spotter"
	c.NatsURLFile, c.MQTTPassFile, c.MetricsTokenFile = file("nats", cluster+"\n"), file("mqtt", "letmein\n"), file("metrics", "twelve-letters\n")
	if err := c.validate(); err != nil {
		t.Fatal(err)
	}
	if c.NatsURL != cluster || c.MQTTPassword != "letmein" || c.MetricsToken != "twelve-letters" {
		t.Errorf("read %q, %q, %q", c.NatsURL, c.MQTTPassword, c.MetricsToken)
	}

	c = usable()
	c.MQTTBroker, c.MQTTPassword, c.MQTTPassFile = "tcp://broker:1883", "letmein", file("mqtt", "letmein")
	c.NatsURL, c.AdminToken, c.MetricsToken = "nats://spotter:secret@nats-1:4222,http://spotter:secret@nats-2", "twelve-letters", "twelve-letters"
	err := c.validate()
	for _, want := range []string{"--mqtt-password and --mqtt-password-file", `--nats-url: "http://spotter:xxxxx@nats-2"`, "--metrics-token: is the admin's"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error\n%v\nwant\n%s", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "secret@") {
		t.Errorf("the error shows a password: %v", err)
	}
}
