package media

import (
	"encoding/binary"
	"time"
)

// Intervals of RTCP: the first report comes after 1 to 2.5 seconds, the others every 2.5 to 4.5 (RFC 3550 6.2 asks for a random
// interval around 5 seconds; a call of a load test may be over by then).
const (
	firstReportMin, firstReportMax = 1000 * time.Millisecond, 2500 * time.Millisecond
	nextReportMin, nextReportMax   = 2500 * time.Millisecond, 4500 * time.Millisecond
	reportsKept                    = 4
)

// reporter is what a Stream knows of RTCP, its own reports and the peer's. The Stream's lock guards it.
type reporter struct {
	next      time.Time
	scheduled bool
	reports   int

	sent [reportsKept]uint32 // NTP times of our last sender reports

	rtt                      time.Duration
	remoteLost, remoteJitter *float64

	packet [256]byte
}

func (r *reporter) schedule(now time.Time, random uint32) {
	least, most := firstReportMin, firstReportMax
	if r.scheduled {
		least, most = nextReportMin, nextReportMax
	}
	r.scheduled = true
	r.next = now.Add(least + time.Duration(uint64(random)*uint64(most-least)>>32))
}

func (r *reporter) due(now time.Time) bool { return r.scheduled && !now.Before(r.next) }

// sendReport sends a report, with a BYE if it is the last. A source that never said anything does not say goodbye either (RFC 3550 6.3.7).
// The Stream's lock is held.
func (s *Stream) sendReport(now time.Time, bye bool) {
	if bye && s.report.reports == 0 && s.send.packets == 0 {
		return
	}
	packet := s.appendReport(s.report.packet[:0], now)
	packet = appendSDES(packet, s.send.header.SSRC, s.cname)
	if bye {
		packet = appendBYE(packet, s.send.header.SSRC)
	}
	s.report.reports++
	_ = s.writer.WriteRTCP(packet) // what the network refuses is lost, as on the way
}

// appendReport appends a sender report, or a receiver report if nothing was sent.
func (s *Stream) appendReport(packet []byte, now time.Time) []byte {
	block, received := s.recv.reportBlock(now)
	blocks := 0
	if received {
		blocks = 1
	}
	if s.send.packets == 0 {
		packet = appendRTCPHeader(packet, rtcpRR, blocks, 8+blocks*reportBlockSize)
		packet = binary.BigEndian.AppendUint32(packet, s.send.header.SSRC)
	} else {
		ntp := ntpTime(now)
		copy(s.report.sent[1:], s.report.sent[:])
		s.report.sent[0] = ntpMiddle(ntp)
		elapsed := now.Sub(s.send.sentAt) * SampleRate / time.Second
		packet = appendRTCPHeader(packet, rtcpSR, blocks, 8+senderInfoSize+blocks*reportBlockSize)
		packet = binary.BigEndian.AppendUint32(packet, s.send.header.SSRC)
		packet = binary.BigEndian.AppendUint64(packet, ntp)
		packet = binary.BigEndian.AppendUint32(packet, s.send.sentTS+uint32(elapsed))
		packet = binary.BigEndian.AppendUint32(packet, uint32(s.send.packets))
		packet = binary.BigEndian.AppendUint32(packet, s.send.octets)
	}
	if received {
		packet = block.append(packet)
	}
	return packet
}

// HandleRTCP takes a datagram with a compound RTCP packet that arrived at the given time. What cannot be understood is left out.
func (s *Stream) HandleRTCP(packet []byte, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	parseRTCP(packet, &rtcpHandler{stream: s, at: at})
}

// rtcpHandler applies to a Stream what its peer reports.
type rtcpHandler struct {
	stream *Stream
	at     time.Time
}

func (h *rtcpHandler) onSenderReport(ssrc uint32, info senderInfo) {
	h.stream.recv.noteSR(ssrc, ntpMiddle(info.ntp), h.at)
}

func (h *rtcpHandler) onReportBlock(block reportBlock) {
	report := &h.stream.report
	if block.ssrc != h.stream.send.header.SSRC {
		return
	}
	lost := float64(block.fraction) / 256
	jitter := float64(block.jitter) * 1000 / SampleRate
	report.remoteLost, report.remoteJitter = &lost, &jitter
	report.measure(block, h.at)
}

// measure computes the round trip (RFC 3550 6.4.1), if the block refers to a report that we sent.
func (r *reporter) measure(block reportBlock, at time.Time) {
	if block.lastSR == 0 {
		return
	}
	for _, sent := range r.sent {
		if sent != block.lastSR {
			continue
		}
		trip := int32(ntpMiddle(ntpTime(at)) - block.lastSR - block.delay)
		// The unit is 15 µs: less than that is as good as nothing.
		r.rtt = max(time.Duration(trip)*time.Second>>16, time.Microsecond)
		return
	}
}
