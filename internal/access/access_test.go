package access

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spotterhq/spotter/internal/lift"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestOnlyAHashIsKept(t *testing.T) {
	s := In(t.TempDir())
	_, password, err := s.Add(Credential{Kind: Device, Site: "main", Name: "bar-1"}, noon)
	if err != nil || len(password) < 26 {
		t.Fatal(password, err)
	}
	data, err := os.ReadFile(s.shelf.path)
	if err != nil || strings.Contains(string(data), password) {
		t.Fatal("the password is in the file", err)
	}
	info, err := os.Stat(s.shelf.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info.Mode(), err)
	}
	if _, ok, err := s.Login("main/bar-1", password); !ok || err != nil {
		t.Fatal("the right password is refused", err)
	}
	if _, ok, err := s.Login("main/bar-1", ""); ok || err != nil {
		t.Fatal("an empty password is taken", err)
	}
}

func TestGrants(t *testing.T) {
	for _, c := range []struct {
		credential Credential
		may        []string
		mayNot     []string
	}{
		{
			Credential{Kind: Gateway, Site: "main", Name: "gw", Devices: []lift.DeviceID{"a", "b"}},
			[]string{"spotter/v1/main/device/a/rep", "spotter/v1/main/device/b/samples"},
			[]string{"spotter/v1/main/device/gw/rep", "spotter/v1/main/athlete/+/checkin"},
		},
		{
			Credential{Kind: Kiosk, Site: "main", Name: "desk"},
			[]string{"spotter/v1/main/athlete/+/checkin", "spotter/v1/main/device/+/assign"},
			[]string{"spotter/v1/main/device/+/rep"},
		},
	} {
		got := c.credential.Grant().Publish
		for _, topic := range c.may {
			if !slices.Contains(got, topic) {
				t.Errorf("%s may not publish %s", c.credential.Kind, topic)
			}
		}
		for _, topic := range c.mayNot {
			if slices.Contains(got, topic) {
				t.Errorf("%s may publish %s", c.credential.Kind, topic)
			}
		}
	}
}

func TestBadCredentialsNameTheField(t *testing.T) {
	for _, c := range []struct {
		credential Credential
		field      string
	}{
		{Credential{Kind: Device, Site: "main", Name: "Bar 1"}, "name"},
		{Credential{Kind: Device, Site: "+", Name: "bar"}, "site"},
		{Credential{Kind: "robot", Site: "main", Name: "bar"}, "kind"},
		{Credential{Kind: Gateway, Site: "main", Name: "gw"}, "devices"},
		{Credential{Kind: Gateway, Site: "main", Name: "gw", Devices: []lift.DeviceID{"#"}}, "devices"},
		{Credential{Kind: Kiosk, Site: "main", Name: "desk", Devices: []lift.DeviceID{"a"}}, "devices"},
	} {
		_, _, err := In(t.TempDir()).Add(c.credential, noon)
		var field *lift.FieldError
		if !errors.As(err, &field) || field.Field != c.field {
			t.Errorf("%+v: %v, want an error of %s", c.credential, err, c.field)
		}
	}
}

func TestNamesAreUniqueUntilRevoked(t *testing.T) {
	s := In(t.TempDir())
	c := Credential{Kind: Device, Site: "main", Name: "bar-1"}
	if _, _, err := s.Add(c, noon); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Add(c, noon); !errors.Is(err, ErrExists) {
		t.Fatal(err)
	}
	if err := s.Revoke("main/bar-1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Revoke("main/bar-1"); !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
	if _, _, err := s.Add(c, noon); err != nil {
		t.Fatal(err)
	}
}
