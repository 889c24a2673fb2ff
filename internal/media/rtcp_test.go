package media

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// rtcpLog keeps what parseRTCP finds.
type rtcpLog struct {
	infos  []senderInfo
	blocks []reportBlock
}

func (l *rtcpLog) onSenderReport(_ uint32, info senderInfo) { l.infos = append(l.infos, info) }
func (l *rtcpLog) onReportBlock(block reportBlock)          { l.blocks = append(l.blocks, block) }

func TestParseRTCPReadsWhatPionWrites(t *testing.T) {
	t.Parallel()
	packet, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.SenderReport{
			SSRC: 1, NTPTime: 0x0102030405060708, RTPTime: 9, PacketCount: 10, OctetCount: 1600,
			Reports: []rtcp.ReceptionReport{
				{SSRC: 2, FractionLost: 64, TotalLost: 5, LastSequenceNumber: 70000, Jitter: 80, LastSenderReport: 11, Delay: 12},
				{SSRC: 3, TotalLost: 0xFFFFFE},
			},
		},
		rtcp.NewCNAMESourceDescription(1, "name"),
		&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: 4}}},
		&rtcp.Goodbye{Sources: []uint32{1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got rtcpLog
	if !parseRTCP(packet, &got) {
		t.Error("refused")
	}
	want := rtcpLog{
		infos: []senderInfo{{ntp: 0x0102030405060708, timestamp: 9, packets: 10, octets: 1600}},
		blocks: []reportBlock{
			{ssrc: 2, fraction: 64, lost: 5, highest: 70000, jitter: 80, lastSR: 11, delay: 12},
			{ssrc: 3, lost: -2},
			{ssrc: 4},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestReportsAreWhatPionReads(t *testing.T) {
	t.Parallel()
	for _, cname := range []string{"a", "ab", "abc", "abcd", "AAAAAAAAAAAAAAAA"} {
		block := reportBlock{ssrc: 2, fraction: 64, lost: -5, highest: 70000, jitter: 80, lastSR: 11, delay: 12}
		packet := appendRTCPHeader(nil, rtcpRR, 1, 8+reportBlockSize)
		packet = block.append(append(packet, 0, 0, 0, 1))
		packet = appendBYE(appendSDES(packet, 1, cname), 1)
		packets, err := rtcp.Unmarshal(packet)
		if err != nil {
			t.Fatalf("cname %q: %v\n% x", cname, err, packet)
		}
		report := packets[0].(*rtcp.ReceiverReport).Reports[0]
		if report.SSRC != 2 || report.FractionLost != 64 || report.TotalLost != 0xFFFFFB || report.LastSequenceNumber != 70000 ||
			report.Jitter != 80 || report.LastSenderReport != 11 || report.Delay != 12 {
			t.Errorf("%+v", report)
		}
		if got := packets[1].(*rtcp.SourceDescription).Chunks[0]; got.Source != 1 || got.Items[0].Text != cname {
			t.Errorf("SDES %+v, want %q", got, cname)
		}
		if got := packets[2].(*rtcp.Goodbye).Sources; len(got) != 1 || got[0] != 1 {
			t.Errorf("BYE %v", got)
		}
	}
}

func TestNTPTime(t *testing.T) {
	t.Parallel()
	at := time.Date(1970, 1, 1, 0, 0, 1, 500_000_000, time.UTC)
	if got, want := ntpTime(at), uint64(2208988801)<<32|1<<31; got != want {
		t.Errorf("got %#x, want %#x", got, want)
	}
	if got := ntpShort(1500 * time.Millisecond); got != 3<<15 {
		t.Errorf("1.5 s are %#x, want %#x", got, 3<<15)
	}
	if got := ntpShort(-time.Second); got != 0 {
		t.Errorf("a negative delay is %d", got)
	}
}

func FuzzParseRTCP(f *testing.F) {
	block := reportBlock{ssrc: 2, lost: -5}
	f.Add(block.append(append(appendRTCPHeader(nil, rtcpRR, 1, 8+reportBlockSize), 0, 0, 0, 1)))
	f.Add(appendSDES(appendRTCPHeader(nil, rtcpRR, 0, 8), 1, "cname"))
	f.Add([]byte{0x80, 200, 0, 6})
	f.Add(bytes.Repeat([]byte{0x9F, 201, 0, 1, 0, 0, 0, 0}, 8))
	f.Fuzz(func(t *testing.T, packet []byte) {
		var got rtcpLog
		ok := parseRTCP(packet, &got)
		if most := len(packet) / reportBlockSize; len(got.blocks) > most {
			t.Errorf("%d blocks in %d bytes", len(got.blocks), len(packet))
		}
		packets, err := rtcp.Unmarshal(packet)
		if !ok || err != nil {
			return
		}
		blocks := 0
		for _, p := range packets {
			switch report := p.(type) {
			case *rtcp.SenderReport:
				blocks += len(report.Reports)
			case *rtcp.ReceiverReport:
				blocks += len(report.Reports)
			}
		}
		if blocks != len(got.blocks) {
			t.Errorf("%d blocks, pion finds %d", len(got.blocks), blocks)
		}
	})
}
