# Needs Go and make, nothing else. `make help` lists what there is.

GO          ?= go
TOOLS       := $(CURDIR)/.tools
INFLUXD     := $(TOOLS)/influxd
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# Pinned, because a new version of a linter must not fail yesterday's commit.
INFLUXDB     := github.com/influxdata/influxdb/cmd/influxd@v1.8.10
STATICCHECK  := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCILINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# Suites that run without the race detector: see internal/house/suites.
PLAIN       := internal/view,internal/notify,cmd/spotter,api/board,dashboards
TESTTIMEOUT ?= 20m
FUZZTIME    ?= 20s
JUDGECHECKS ?= 3000
SOAKTIME    ?= 5m
SOAKCOUNT   ?= 5
SOAKASKED   ?= 1000
BENCH       ?= .
BENCHCOUNT  ?= 1

export SPOTTER_TEST_INFLUXD ?= $(INFLUXD)

.DEFAULT_GOAL := help

## help: list the targets
.PHONY: help
help:
	@sed -n 's/^## /  /p' Makefile

## build: the static binary, bin/spotter
.PHONY: build
build:
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o bin/spotter ./cmd/spotter

## test: vet and every suite; builds InfluxDB 1.8.10 once, uses the race detector where a C compiler works
.PHONY: test
test: $(SPOTTER_TEST_INFLUXD)
	$(GO) vet ./...
	$(GO) run ./internal/house/suites -plain $(PLAIN) -timeout $(TESTTIMEOUT)

# go install writes the file only when the build is complete.
$(INFLUXD):
	@echo 'Building InfluxDB 1.8.10 for the tests into .tools; once, about two minutes.'
	@mkdir -p $(TOOLS)
	CGO_ENABLED=0 GOBIN=$(TOOLS) $(GO) install $(INFLUXDB)

## lint: gofmt, go vet, staticcheck and golangci-lint, at pinned versions
.PHONY: lint
lint:
	@unformatted=$$("$$($(GO) env GOROOT)/bin/gofmt" -l .) || exit 1; \
	if [ -n "$$unformatted" ]; then echo "not formatted with gofmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) run $(GOLANGCILINT) run ./...
	cd internal/tools/compose && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./...
	cd internal/tools/promql && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./...

## compose-check: load docker-compose.yml and hold it to its rules
.PHONY: compose-check
compose-check:
	cd internal/tools/compose && $(GO) test -count=1 ./...

## grafana-check: ask the dashboards' and alert rules' PromQL of Prometheus's own engine, with the metrics of a real server
.PHONY: grafana-check
grafana-check:
	cd internal/tools/promql && $(GO) test -count=1 ./...

## bench: the whole line, lists and streams against their ceilings, then the Go benchmarks (BENCHARGS='-only lists -athletes 1000 -stored 10000000 -alerts 1000000', BENCH=regexp, BENCHCOUNT=6 for benchstat)
.PHONY: bench
bench: build $(SPOTTER_TEST_INFLUXD)
	$(GO) run ./internal/bench -spotter bin/spotter -influxd $(SPOTTER_TEST_INFLUXD) $(BENCHARGS)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(BENCHCOUNT) ./...

## judge: live = batch for JUDGECHECKS (3000) random histories, then how far the alerts can be trusted, on simulated athletes and real logs; writes docs/judge.md (JUDGEARGS='-athletes 100' for a quick look, with -docs elsewhere)
.PHONY: judge
judge:
	$(GO) test ./analysis -run 'TestFinalFindings|TestLookback|TestNextDue' -rapid.checks=$(JUDGECHECKS)
	$(GO) run ./internal/judge $(JUDGEARGS)

## fuzz: each fuzz target for FUZZTIME (20s)
.PHONY: fuzz
fuzz:
	@set -e; ran=0; packages=$$($(GO) list ./...); \
	for package in $$packages; do \
		listed=$$($(GO) test -list '^Fuzz' $$package) || { echo "$$listed"; exit 1; }; \
		for target in $$(echo "$$listed" | grep '^Fuzz' || true); do \
			echo "fuzzing $$package $$target for $(FUZZTIME)"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$package; \
			ran=$$((ran + 1)); \
		done; \
	done; \
	if [ $$ran -eq 0 ]; then echo "no fuzz target found"; exit 1; fi; \
	echo "$$ran fuzz targets ran for $(FUZZTIME) each"

## soak: longer fuzzing (SOAKTIME, 5m), SOAKASKED (1000) requests of each role to each operation of the API, the dashboards over a year of 200 athletes, and the kill tests over and over (SOAKCOUNT, 5)
.PHONY: soak
soak: $(SPOTTER_TEST_INFLUXD)
	$(MAKE) fuzz FUZZTIME=$(SOAKTIME)
	SPOTTER_FUZZ_REQUESTS=$(SOAKASKED) SPOTTER_FUZZ_SEED=$$$$ $(GO) test -count=1 -timeout 4h -run TestAnyRequestIsAnsweredAsDescribed ./api
	SPOTTER_SOAK=1 $(GO) test -count=1 -timeout 1h -run TestAYear ./dashboards
	SPOTTER_SOAK=1 $(GO) test -count=$(SOAKCOUNT) -timeout 4h ./cmd/spotter/...

## clean: remove build outputs; `rm -r .tools` removes the built InfluxDB too
.PHONY: clean
clean:
	rm -rf bin
	$(GO) clean -testcache
