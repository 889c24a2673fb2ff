package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/gossipper/gossipper/internal/sip"
)

// heldCall returns a call of the built-in caller that pauses, and its loop.
func heldCall(t *testing.T) (*call, *loop) {
	t.Helper()
	tr := &echoTransport{}
	c := config(builtin(t, "uac"), tr, &results{})
	c.Hold = time.Hour
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	l := e.loop
	l.start = time.Now()
	l.startCall()
	tr.deliver(l)
	for _, held := range l.calls {
		return held, l
	}
	t.Fatal("there is no call")
	return nil, nil
}

func TestHeldCallKeepsNoInvite(t *testing.T) {
	t.Parallel()
	c, l := heldCall(t)
	if len(c.invite) != 0 || len(l.spareBuffers) != 1 {
		t.Errorf("the call keeps %q; %d buffers were given back, want 1", c.invite, len(l.spareBuffers))
	}
	if body := c.last.Body(); len(body) != 0 {
		t.Errorf("the call keeps the body %q", body)
	}
	ack, _ := sip.ParseView(c.ack)
	from, _ := ack.Header("From")
	c.stopped("the test ended")
	bye, err := sip.ParseView(c.afterlife.buf)
	if err != nil || string(bye.Method()) != methodBye {
		t.Fatalf("%q was sent, %v, want a BYE", c.afterlife.buf, err)
	}
	if got, _ := bye.Header("From"); string(got) != string(from) || string(bye.CallID()) != c.id || bye.CSeqNumber() != 2 {
		t.Errorf("BYE\n%s\nwant From %q and Call-ID %s", bye.Bytes(), from, c.id)
	}
}

// An INVITE that says what the ACK doesn't has to stay.
func TestSlimInviteKeepsWhatTheAckLacks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(invite, ack string) (string, string)
		keeps  bool
	}{
		{"nothing", func(invite, ack string) (string, string) { return invite, ack }, false},
		{"another From", func(invite, ack string) (string, string) { return invite, strings.Replace(ack, "From: ", "From: x", 1) }, true},
		{"another Call-ID", func(invite, ack string) (string, string) {
			return invite, strings.Replace(ack, "Call-ID: ", "Call-ID: x", 1)
		}, true},
		{"another CSeq", func(invite, ack string) (string, string) {
			return invite, strings.Replace(ack, "CSeq: 1", "CSeq: 2", 1)
		}, true},
		{"credentials", func(invite, ack string) (string, string) {
			return strings.Replace(invite, "From: ", "Authorization: Digest x\r\nFrom: ", 1), ack
		}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, _ := heldCall(t)
			invite := strings.NewReplacer("ACK sip", "INVITE sip", "1 ACK", "1 INVITE").Replace(string(c.ack))
			changedInvite, ack := tc.change(invite, string(c.ack))
			if tc.name != "nothing" && changedInvite == invite && ack == string(c.ack) {
				t.Fatal("the case changes nothing")
			}
			c.invite, c.ack = []byte(changedInvite), []byte(ack)
			c.slimInvite()
			if kept := len(c.invite) > 0; kept != tc.keeps {
				t.Errorf("keeps the INVITE: %v, want %v", kept, tc.keeps)
			}
		})
	}
}

func TestKeepUsesWhatWasGivenBack(t *testing.T) {
	t.Parallel()
	l := new(loop)
	first := l.keep(nil, []byte("four"))
	l.giveBack(first)
	second := l.keep(nil, []byte("abc"))
	if &first[0] != &second[0] || string(second) != "abc" || len(l.spareBuffers) != 0 {
		t.Error("the buffer that was given back is not used again")
	}
	l.giveBack(second)
	if third := l.keep(nil, []byte("longer")); &third[:1][0] == &first[0] || string(third) != "longer" || len(l.spareBuffers) != 1 {
		t.Error("a buffer that is too small is used")
	}
	l.giveBack(make([]byte, 0, maxSpareBuffer+1))
	if len(l.spareBuffers) != 1 {
		t.Error("a buffer of unusual size is kept")
	}
}
