package media

import (
	"encoding/binary"
	"time"
)

// RTCP packet types (RFC 3550 12.1), and the lengths of their parts.
const (
	rtcpSR   = 200
	rtcpRR   = 201
	rtcpSDES = 202
	rtcpBYE  = 203

	reportBlockSize = 24
	senderInfoSize  = 20
)

// reportBlock is what is told of one source (RFC 3550 6.4.1).
type reportBlock struct {
	ssrc     uint32
	fraction uint8 // in units of 1/256, since the last report
	lost     int32 // 24 bits
	highest  uint32
	jitter   uint32 // in timestamp units
	lastSR   uint32
	delay    uint32 // in units of 1/65536 s
}

func (b *reportBlock) append(to []byte) []byte {
	to = binary.BigEndian.AppendUint32(to, b.ssrc)
	to = binary.BigEndian.AppendUint32(to, uint32(b.fraction)<<24|uint32(b.lost)&0xFFFFFF)
	to = binary.BigEndian.AppendUint32(to, b.highest)
	to = binary.BigEndian.AppendUint32(to, b.jitter)
	to = binary.BigEndian.AppendUint32(to, b.lastSR)
	return binary.BigEndian.AppendUint32(to, b.delay)
}

func parseReportBlock(from []byte) reportBlock {
	word := func(i int) uint32 { return binary.BigEndian.Uint32(from[4*i:]) }
	return reportBlock{
		ssrc: word(0), fraction: from[4], lost: int32(word(1)<<8) >> 8,
		highest: word(2), jitter: word(3), lastSR: word(4), delay: word(5),
	}
}

// senderInfo is what a sender report tells of its own packets.
type senderInfo struct {
	ntp             uint64
	timestamp       uint32
	packets, octets uint32
}

// rtcpSink takes what parseRTCP finds.
type rtcpSink interface {
	onSenderReport(ssrc uint32, info senderInfo)
	onReportBlock(block reportBlock)
}

// parseRTCP reads a compound packet (RFC 3550 6.1) up to its first mistake. It returns false if there was one.
func parseRTCP(packet []byte, sink rtcpSink) bool {
	if !isRTCP(packet) {
		return false
	}
	for len(packet) > 0 {
		if len(packet) < 4 || packet[0]>>6 != 2 {
			return false
		}
		size := 4 * (int(binary.BigEndian.Uint16(packet[2:])) + 1)
		if size > len(packet) {
			return false
		}
		if !parseReport(packet[:size], sink) {
			return false
		}
		packet = packet[size:]
	}
	return true
}

func parseReport(packet []byte, sink rtcpSink) bool {
	blocks := packet[4:]
	switch packet[1] {
	case rtcpSR:
		if len(blocks) < 4+senderInfoSize {
			return false
		}
		sink.onSenderReport(binary.BigEndian.Uint32(blocks), senderInfo{
			ntp: binary.BigEndian.Uint64(blocks[4:]), timestamp: binary.BigEndian.Uint32(blocks[12:]),
			packets: binary.BigEndian.Uint32(blocks[16:]), octets: binary.BigEndian.Uint32(blocks[20:]),
		})
		blocks = blocks[4+senderInfoSize:]
	case rtcpRR:
		if len(blocks) < 4 {
			return false
		}
		blocks = blocks[4:]
	default:
		return true // SDES, BYE, APP and feedback tell nothing that is used
	}
	count := int(packet[0] & 0x1F)
	if len(blocks) < count*reportBlockSize {
		return false
	}
	for range count {
		sink.onReportBlock(parseReportBlock(blocks))
		blocks = blocks[reportBlockSize:]
	}
	return true
}

func appendRTCPHeader(to []byte, packetType byte, count, size int) []byte {
	return append(to, 2<<6|byte(count), packetType, byte((size/4-1)>>8), byte(size/4-1))
}

// appendSDES appends a source description with the CNAME (RFC 3550 6.5).
func appendSDES(to []byte, ssrc uint32, cname string) []byte {
	items := 2 + len(cname)
	padding := 4 - items%4 // at least one zero ends the list
	to = appendRTCPHeader(to, rtcpSDES, 1, 8+items+padding)
	to = binary.BigEndian.AppendUint32(to, ssrc)
	to = append(to, 1, byte(len(cname)))
	to = append(to, cname...)
	for range padding {
		to = append(to, 0)
	}
	return to
}

// appendBYE appends a goodbye (RFC 3550 6.6).
func appendBYE(to []byte, ssrc uint32) []byte {
	return binary.BigEndian.AppendUint32(appendRTCPHeader(to, rtcpBYE, 1, 8), ssrc)
}

// ntpTime returns the time as seconds since 1900 with a fraction of 32 bits (RFC 3550 4).
func ntpTime(at time.Time) uint64 {
	const toUnix = 2208988800 // seconds from 1900 to 1970
	seconds := uint64(at.Unix()) + toUnix
	fraction := uint64(at.Nanosecond()) << 32 / uint64(time.Second)
	return seconds<<32 | fraction
}

// ntpMiddle returns the middle 32 bits of an NTP time, as used for round trips.
func ntpMiddle(ntp uint64) uint32 { return uint32(ntp >> 16) }

// ntpShort returns the duration in units of 1/65536 s.
func ntpShort(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	return uint32(uint64(d) << 16 / uint64(time.Second))
}
