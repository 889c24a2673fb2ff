package engine

import (
	"testing"

	"github.com/gossipper/gossipper/internal/media"
)

func TestAwaitedStep(t *testing.T) {
	t.Parallel()
	const message = `<send><![CDATA[
INVITE sip:a SIP/2.0
CSeq: 1 INVITE

]]></send>`
	tests := []struct {
		name, steps string
		at, want    int
	}{
		{"mandatory", message + `<recv response="200"/>`, 1, 1},
		{"behind optional ones", message + `<recv response="100" optional="true"/><recv response="180" optional="global"/><recv response="200"/>`, 1, 3},
		{"optional at the end", message + `<recv response="200"/><recv response="100" optional="true"/>`, 2, 2},
		{"not a recv", message + `<recv response="200"/>`, 0, 0},
		{"the end", message + `<recv response="200"/>`, 2, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, err := Compile(parse(t, `<scenario name="x">`+tt.steps+`</scenario>`), media.KindNone)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.awaited(tt.at); got != tt.want {
				t.Errorf("step %d, want %d", got, tt.want)
			}
		})
	}
}
