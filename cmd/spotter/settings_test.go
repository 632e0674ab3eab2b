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
