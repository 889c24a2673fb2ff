package engine

import (
	"bytes"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/transport"
)

// FuzzReceive throws datagrams, separated by zero bytes, at a caller and a callee. Whatever comes, every call that was started has
// exactly one result in the end.
func FuzzReceive(f *testing.F) {
	invite := request("INVITE", "one", "a", 1, "")
	f.Add(bytes.Join([][]byte{invite, invite, request("ACK", "one", "b", 1, ";tag=x"), request("BYE", "one", "c", 2, ";tag=x")}, []byte{0}))
	f.Add(bytes.Join([][]byte{invite, request("CANCEL", "one", "a", 1, ""), request("INFO", "one", "d", 9, "")}, []byte{0}))
	for _, status := range []string{"100 Trying", "180 Ringing", "200 OK", "486 Busy Here"} {
		f.Add([]byte("SIP/2.0 " + status + "\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nTo: <sip:a>;tag=1\r\nFrom: <sip:b>;tag=2\r\nCall-ID: caller\r\nCSeq: 1 INVITE\r\n\r\n"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"uac", "uas"} {
			var r results
			tr := &echoTransport{mute: true}
			c := config(builtin(t, name), tr, &r)
			c.Hold = time.Second
			e, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			l := e.loop
			l.start = time.Now()
			if name == "uac" {
				l.startCall()
				for _, call := range l.calls { // so that the corpus can name it
					delete(l.calls, call.id)
					call.id = "caller"
					l.calls[call.id] = call
				}
			}
			for i, one := range bytes.Split(data, []byte{0}) {
				l.Received(transport.Message{Data: one, Flow: transport.NewFlow(tr, c.Target), Received: l.start})
				l.elapsed += time.Duration(i) * 100 * time.Millisecond
				l.tick = int64(l.elapsed / tick)
				l.wheel.advance(l.tick, l.onTimer)
			}
			l.stop()
			l.tick = l.stopBy
			if !l.over() {
				t.Fatal("the run does not end")
			}
			if started := c.Stats.CallsStarted.Load(); l.running != 0 || uint64(len(r.all)) != started {
				t.Fatalf("%d calls started, %d results, %d still running", started, len(r.all), l.running)
			}
		}
	})
}
