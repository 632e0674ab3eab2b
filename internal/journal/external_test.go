package journal

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
)

// runNATS starts a NATS server as somebody else would run it; with routes it joins
// a cluster.
func runNATS(t *testing.T, name string, clusterPort int, routes ...string) *server.Server {
	t.Helper()
	o := &server.Options{
		ServerName: name, Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(),
		NoSigs: true, NoLog: true, SyncAlways: true,
	}
	if clusterPort != 0 {
		o.Cluster = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: clusterPort}
		for _, r := range routes {
			u, err := url.Parse("nats://" + r)
			if err != nil {
				t.Fatal(err)
			}
			o.Routes = append(o.Routes, u)
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("nats-server is not ready")
	}
	return s
}

func TestTheLogLivesOnAnExternalServer(t *testing.T) {
	s := runNATS(t, "alone", 0)
	l := open(t, Options{URL: s.ClientURL()})
	if l.Server() != nil {
		t.Error("a server is embedded beside the external one")
	}
	var batch []Event
	for i := range 200 {
		batch = append(batch, rep("ana", int64(i)))
	}
	if _, err := l.Append(t.Context(), batch...); err != nil {
		t.Fatal(err)
	}
	other := open(t, Options{URL: s.ClientURL()}) // another node on the same log
	if _, err := other.Append(t.Context(), rep("bo", 200)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(seqs(readAll(t, l, 0)), seqs(readAll(t, other, 0))); diff != "" {
		t.Fatal(diff)
	}
	if got := readAll(t, l, 0); len(got) != 201 {
		t.Fatalf("%d events, want 201", len(got))
	}
}

// clusterPorts are free ports for three servers, and their addresses.
func clusterPorts(t *testing.T) (ports []int, addrs []string) {
	t.Helper()
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports, addrs = append(ports, l.Addr().(*net.TCPAddr).Port), append(addrs, l.Addr().String())
		_ = l.Close()
	}
	return ports, addrs
}

// A cluster that is being started loses every question until it has a leader. What
// starts together with it must not hang because of that.
func TestTheLogIsOpenedOnAClusterThatHasNoLeaderYet(t *testing.T) {
	ports, addrs := clusterPorts(t)
	first := runNATS(t, "node-0", ports[0], addrs...)
	type result struct {
		log *Log
		err error
	}
	opened := make(chan result, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		l, err := Open(ctx, Options{URL: first.ClientURL(), Replicas: 3, Logger: slog.New(slog.DiscardHandler)})
		opened <- result{l, err}
	}()
	deadline, tick := time.After(20*time.Second), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for asked := false; !asked; {
		select {
		case <-tick.C:
			v, err := first.Varz(nil)
			asked = err == nil && v.InMsgs > 0
		case r := <-opened:
			t.Fatalf("opened by one of three: %v", r.err)
		case <-deadline:
			t.Fatal("the server is not asked")
		}
	}
	runNATS(t, "node-1", ports[1], addrs...)
	runNATS(t, "node-2", ports[2], addrs...)
	r := <-opened
	if r.err != nil {
		t.Fatal(r.err)
	}
	defer r.log.Close()
	if _, err := r.log.Append(t.Context(), rep("ana", 1)); err != nil {
		t.Fatal(err)
	}
}

// Three replicas: the leader of the log dies in mid-load, and nothing that was
// appended is missing or stored twice.
func TestTheLeaderOfAClusterDiesAndNothingIsLost(t *testing.T) {
	ports, addrs := clusterPorts(t)
	var servers []*server.Server
	var urls string
	for i, port := range ports {
		s := runNATS(t, fmt.Sprintf("node-%d", i), port, addrs...)
		servers = append(servers, s)
		urls += s.ClientURL() + ","
	}
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for leader := false; !leader; <-tick.C {
		for _, s := range servers {
			leader = leader || s.JetStreamIsLeader()
		}
		if time.Now().After(deadline) {
			t.Fatal("the cluster finds no leader")
		}
	}
	l := open(t, Options{URL: urls[:len(urls)-1], Replicas: 3, Logger: slog.New(slog.DiscardHandler)})
	n := int64(0)
	add := func(until int64) {
		for n < until {
			batch := make([]Event, 50)
			for i := range batch {
				batch[i] = rep("ana", n+int64(i))
			}
			for { // as ingest does
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				_, err := l.Append(ctx, batch...)
				cancel()
				if err == nil {
					break
				}
				if time.Now().After(deadline.Add(60 * time.Second)) {
					t.Fatal(err)
				}
			}
			n += 50
		}
	}
	add(500)
	info, err := l.stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		if s.Name() == info.Cluster.Leader {
			s.Shutdown()
			s.WaitForShutdown()
		}
	}
	add(1000)
	seen := map[int64]int{}
	f := l.Follow(0)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for len(seen) < 1000 {
		entries, err := f.Next(ctx, 100)
		if err != nil {
			t.Fatalf("%d of 1000 events after the leader died: %v", len(seen), err)
		}
		for _, e := range entries {
			seen[e.Rep.Seq]++
		}
	}
	for seq, times := range seen {
		if times != 1 {
			t.Errorf("rep %d is stored %d times", seq, times)
		}
	}
}
