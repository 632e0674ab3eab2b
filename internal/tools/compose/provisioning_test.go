package compose

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// datasource is what this test needs of Grafana's provisioning file.
type datasource struct {
	Name, UID, Type, URL string
	Version              int
	IsDefault            bool `yaml:"isDefault"`
	JSONData             struct {
		DBName     string `yaml:"dbName"`
		HeaderName string `yaml:"httpHeaderName1"`
		Version    string
	} `yaml:"jsonData"`
	SecureJSONData struct {
		HeaderValue string `yaml:"httpHeaderValue1"`
	} `yaml:"secureJsonData"`
}

// TestGrafanaReachesWhatComposeStarts holds the datasources to the services: the
// same host, port, database and secret.
func TestGrafanaReachesWhatComposeStarts(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "dashboards", "provisioning", "datasources", "spotter.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var provisioned struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []datasource
	}
	if err := yaml.Unmarshal(text, &provisioned); err != nil {
		t.Fatal(err)
	}
	if provisioned.APIVersion != 1 {
		t.Errorf("apiVersion %d, want 1", provisioned.APIVersion)
	}
	project := load(t)
	grafana, influx := project.Services["grafana"], project.Services["influxdb"]
	bucket := influx.Environment["DOCKER_INFLUXDB_INIT_BUCKET"]
	if bucket == nil {
		t.Fatal("InfluxDB is started without a bucket")
	}
	// The uid is what every dashboard names; samples have their own bucket.
	databases := map[string]string{"spotter-influx": *bucket, "spotter-influx-samples": *bucket + "_samples"}
	secret := regexp.MustCompile(`^Token \$__file\{(/[^}]+)\}$`)
	names, defaults := map[string]bool{}, 0
	for _, d := range provisioned.Datasources {
		if d.UID == "spotter-prometheus" {
			if d.Type != "prometheus" || d.URL != "http://prometheus:9090" || d.Version < 1 || d.IsDefault {
				t.Errorf("%+v is not the Prometheus that reads Spotter's metrics", d)
			}
			continue
		}
		database, known := databases[d.UID]
		if !known {
			t.Errorf("uid %q is unknown or given twice; dashboards name datasources by uid", d.UID)
		}
		delete(databases, d.UID)
		if d.Name == "" || names[d.Name] {
			t.Errorf("%s: name %q is empty or given twice", d.UID, d.Name)
		}
		names[d.Name] = true
		if d.IsDefault {
			defaults++
		}
		if d.Type != "influxdb" || d.JSONData.Version != "" {
			t.Errorf("%s: type %q, query language %q; want influxdb and InfluxQL, its default", d.UID, d.Type, d.JSONData.Version)
		}
		if d.JSONData.DBName != database {
			t.Errorf("%s: database %q, want %q", d.UID, d.JSONData.DBName, database)
		}
		if d.Version < 1 {
			t.Errorf("%s: without a version Grafana never takes a change of it", d.UID)
		}
		if d.JSONData.HeaderName != "Authorization" {
			t.Errorf("%s: header %q, want Authorization", d.UID, d.JSONData.HeaderName)
		}
		address, err := url.Parse(d.URL)
		if err != nil || address.Hostname() != influx.Name || address.Port() != "8086" {
			t.Errorf("%s: url %q does not lead to the service %s at 8086 (%v)", d.UID, d.URL, influx.Name, err)
		}
		match := secret.FindStringSubmatch(d.SecureJSONData.HeaderValue)
		if match == nil {
			t.Errorf("%s: the token is %q, want it from a file", d.UID, d.SecureJSONData.HeaderValue)
			continue
		}
		mounted := ""
		for _, v := range grafana.Volumes {
			if rest, ok := strings.CutPrefix(match[1], v.Target+"/"); ok && v.Source == "secrets-grafana" {
				mounted = rest
			}
		}
		if mounted != "influx-token" {
			t.Errorf("%s: %s is not the token that the service secrets gives to Grafana", d.UID, match[1])
		}
	}
	for uid := range databases {
		t.Errorf("no datasource has the uid %s", uid)
	}
	if defaults != 1 {
		t.Errorf("%d default datasources, want 1", defaults)
	}
}
