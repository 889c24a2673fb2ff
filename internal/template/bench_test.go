package template

import "testing"

// invite is the first message of the built-in scenario uac.
const invite = `
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "gossipper" <sip:gossipper@[local_ip]:[local_port]>;tag=[pid]uac[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:gossipper@[local_ip]:[local_port];transport=[transport]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- [call_number] 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 8
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=ptime:20
`

func BenchmarkRenderINVITE(b *testing.B) {
	tmpl := compile(b, invite)
	v, buf := testValues(), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = tmpl.AppendTo(buf[:0], v)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkRenderBoundINVITE(b *testing.B) {
	v, buf := testValues(), make([]byte, 0, 4096)
	tmpl := compile(b, invite).Bind(v, runKeywords()...)
	b.ReportAllocs()
	for b.Loop() {
		buf = tmpl.AppendTo(buf[:0], v)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkCompileINVITE(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if tmpl, _ := Compile(invite, Options{}); tmpl == nil {
			b.Fatal("does not compile")
		}
	}
}
