package media

import "github.com/pion/rtp"

// PacketWriter carries the packets of a Stream to the peer. Both methods are called with a lock of the Stream held: they must
// not call the Stream. What they are given is reused when they return.
type PacketWriter interface {
	WriteRTP(header *rtp.Header, payload []byte) error
	WriteRTCP(packet []byte) error
}

// parsedPacket is an RTP packet whose payload lies in the datagram that it came in.
type parsedPacket struct {
	header  rtp.Header
	payload []byte
}

// parse reads an RTP packet (RFC 3550 5.1). It reuses what the header has allocated.
func (p *parsedPacket) parse(datagram []byte) bool {
	size, err := p.header.Unmarshal(datagram)
	if err != nil || p.header.Version != 2 || size > len(datagram) {
		return false
	}
	end := len(datagram)
	if p.header.Padding {
		padding := int(datagram[end-1])
		if padding == 0 || size+padding > end {
			return false
		}
		end -= padding
	}
	p.payload = datagram[size:end]
	return true
}

// isRTCP tells RTCP from RTP where both use one port (RFC 5761 4).
func isRTCP(datagram []byte) bool {
	return len(datagram) >= 8 && datagram[0]>>6 == 2 && datagram[1] >= 192 && datagram[1] <= 223
}
