package sdp

import "testing"

func TestCommonFormats(t *testing.T) {
	t.Parallel()
	pcmu, pcma, dtmf := Format{0, "PCMU"}, Format{97, "PCMA"}, Format{126, dtmfName}
	for _, tc := range []struct {
		name   string
		remote []Format
		prefer bool
		want   string
	}{
		{name: "the offerer's order", remote: []Format{dtmf, pcma, {111, "OPUS"}, pcmu}, want: "PCMA, PCMU, TELEPHONE-EVENT"},
		{name: "PCMA preferred", remote: []Format{pcmu, pcma}, prefer: true, want: "PCMA, PCMU"},
		{name: "PCMA preferred but not offered", remote: []Format{pcmu}, prefer: true, want: "PCMU"},
		{name: "twice", remote: []Format{pcmu, {99, "PCMU"}}, want: "PCMU"},
	} {
		got, err := CommonFormats(tc.remote, tc.prefer)
		if err != nil || formatNames(got) != tc.want {
			t.Errorf("%s: got %s, %v", tc.name, formatNames(got), err)
		}
	}
}
