package webrtc

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/outcome"
)

// coturn is a turnserver process.
type coturn struct {
	address string

	mu    sync.Mutex
	lines []string
	more  chan struct{} // signalled for each line
}

// startCoturn runs turnserver with use-auth-secret on loopback until the test ends.
func startCoturn(t testing.TB, secret string) *coturn {
	t.Helper()
	path, err := exec.LookPath("turnserver")
	if err != nil {
		t.Skip("turnserver is not installed (Debian package coturn)")
	}
	dir := t.TempDir()
	for attempt := 0; ; attempt++ {
		c := &coturn{address: freePort(t), more: make(chan struct{}, 1)}
		if c.run(t, path, dir, secret) {
			return c
		}
		if attempt == 3 {
			t.Fatalf("turnserver does not start:\n%s", c.log())
		}
	}
}

// freePort finds a port that is free for UDP and TCP. Somebody may take it before turnserver does; then another is tried.
func freePort(t testing.TB) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		conn, err := net.ListenPacket("udp4", address)
		_ = l.Close()
		if err == nil {
			_ = conn.Close()
			return address
		}
	}
}

// run starts the process and returns true when it answers.
func (c *coturn) run(t testing.TB, path, dir, secret string) bool {
	t.Helper()
	host, port, _ := net.SplitHostPort(c.address)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, "-n", "--use-auth-secret", "--static-auth-secret="+secret, "--realm=example.net",
		"--listening-ip="+host, "--relay-ip="+host, "--listening-port="+port, "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers",
		"--log-file=stdout", "--simple-log", "--verbose", "--userdb="+filepath.Join(dir, "db"), "--pidfile="+filepath.Join(dir, "pid"))
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		for s := bufio.NewScanner(out); s.Scan(); {
			c.mu.Lock()
			c.lines = append(c.lines, s.Text())
			c.mu.Unlock()
			select {
			case c.more <- struct{}{}:
			default:
			}
		}
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		cancel()
		<-exited
	})
	for range 50 {
		select {
		case <-exited:
			return false
		default:
		}
		if _, err := CheckTURN(ctx, CheckOptions{URL: "stun:" + c.address, Timeout: 200 * time.Millisecond}); err == nil {
			return true
		}
	}
	return false
}

func (c *coturn) log() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n")
}

// waitFor waits until the expression matches n times in the log, and returns the submatches.
func (c *coturn) waitFor(t testing.TB, expression string, n int) [][]string {
	t.Helper()
	re := regexp.MustCompile(expression)
	deadline := time.After(testWait)
	for {
		if found := re.FindAllStringSubmatch(c.log(), -1); len(found) >= n {
			return found
		}
		select {
		case <-c.more:
		case <-deadline:
			t.Fatalf("%q does not stand in the log %d times:\n%s", expression, n, c.log())
		}
	}
}

func TestCoturnRelaysWithMintedCredentials(t *testing.T) {
	t.Parallel()
	server := startCoturn(t, "north")
	f := newTestFactory(t, Options{
		ICEServers: []string{"turn:" + server.address + "?transport=udp"}, ICEAuthSecret: "north", ICEUsername: "load",
		ICEAuthTTL: time.Hour, ICEPolicy: PolicyRelay,
	})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	heard := listen(t, callee)
	before := time.Now()
	connect(t, caller, callee)
	const n = 20
	for i := range n {
		if err := caller.WritePCMU(frame(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		if got := <-heard; string(got.payload) != string(frame(i)) {
			t.Fatalf("packet %d: %x", i, got.payload)
		}
	}
	for _, b := range []*testBridge{caller, callee} {
		d := b.Diagnostics()
		if d.TURNAuth != "rest" || d.SelectedPair == nil || d.SelectedPair.Local.Type != "relay" {
			t.Errorf("diagnostics: %+v", d)
		}
		b.mustClose(t)
	}
	for _, m := range server.waitFor(t, `user <(\d+):load>: incoming packet ALLOCATE processed, success`, 2) {
		expiry, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil || expiry < before.Add(time.Hour).Unix() || expiry > time.Now().Add(time.Hour).Unix() {
			t.Errorf("the server saw the expiry %s", m[1])
		}
	}
	// A session's bytes are logged when it ends.
	var relayed int
	for _, m := range server.waitFor(t, `peer usage:.*rp=\d+, rb=(\d+), sp=\d+, sb=\d+`, 2) {
		bytes, _ := strconv.Atoi(m[1])
		relayed += bytes
	}
	if relayed < n*160 {
		t.Errorf("the server relayed %d bytes, at least %d were sent\n%s", relayed, n*160, server.log())
	}
}

func TestCoturnRefusesAWrongSecret(t *testing.T) {
	t.Parallel()
	server := startCoturn(t, "north")
	for name, query := range map[string]string{"udp": "?transport=udp", "tcp": "?transport=tcp"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := "turn:" + server.address + query
			f := newTestFactory(t, Options{ICEServers: []string{url}, ICEAuthSecret: "hunter2", ICEPolicy: PolicyRelay})
			b := newTestBridge(t, f)
			_, err := b.CreateOffer(testContext(t))
			wantFailure(t, err, outcome.StageGather, codeTURNUnauthorized, url, "401 Unauthorized")
			if strings.Contains(fmt.Sprintf("%v %+v", err, b.Diagnostics()), "hunter2") {
				t.Error("the secret is shown")
			}
		})
	}
}

func TestCheckCoturn(t *testing.T) {
	t.Parallel()
	server := startCoturn(t, "north")
	for _, query := range []string{"?transport=udp", "?transport=tcp"} {
		o := CheckOptions{URL: "turn:" + server.address + query, AuthSecret: "north", Username: "check"}
		r, err := CheckTURN(testContext(t), o)
		if err != nil {
			t.Fatal(err)
		}
		if r.Realm != "example.net" || r.Relayed.Addr() != loopback || r.Mapped.Addr() != loopback || r.Lifetime < time.Minute || r.Took <= 0 ||
			!strings.Contains(r.Software, "Coturn") || r.Auth != "rest" || !strings.HasSuffix(r.Username, ":check") || !r.Looped {
			t.Errorf("%+v", r)
		}
		o.AuthSecret = "hunter2"
		_, err = CheckTURN(testContext(t), o)
		wantCheckError(t, err, 401, "check user name, password or secret, and the clock")
	}
}

// TestICEFailureNamesTheServersThatRefused is the same wrong secret without the relay policy: the call gets as far as ICE.
func TestICEFailureNamesTheServersThatRefused(t *testing.T) {
	t.Parallel()
	server := startCoturn(t, "north")
	f := newTestFactory(t, Options{ICEServers: []string{"turn:" + server.address}, ICEAuthSecret: "hunter2", ICEConnectTimeout: 500 * time.Millisecond})
	caller, callee := newTestBridge(t, f), newTestBridge(t, f)
	ctx := testContext(t)
	offer, err := caller.CreateOffer(ctx)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := callee.Answer(ctx, offer)
	if err != nil {
		t.Fatal(err)
	}
	callee.mustClose(t)
	if err := caller.AcceptAnswer(ctx, answer); err != nil {
		t.Fatal(err)
	}
	wantFailure(t, caller.waitForFailure(t), outcome.StageICE, codeICEFailed, "turn:"+server.address+"?transport=udp: 401 Unauthorized")
}
