package media

import "time"

// Limits of RFC 3550 A.1.
const (
	maxDropout  = 3000
	maxMisorder = 100
	seqModulus  = 1 << 16
)

// verdict says what a sequence number means.
type verdict uint8

const (
	inOrder   verdict = iota // the next, or one after a gap
	restarted                // the first of a new source, or of a sequence that starts anew
	reordered                // late, but missing until now
	duplicate
	suspect // a leap: the packet is left out until another confirms it
)

// source follows the sequence numbers and the timing of what is received (RFC 3550 6.4.1, A.1, A.3, A.8).
type source struct {
	ssrc   uint32
	active bool

	baseSeq, maxSeq uint16
	cycles          uint32
	badSeq          uint32
	seen            [2]uint64 // which of the 128 sequence numbers up to maxSeq arrived, the latest in bit 0

	received   int64 // since baseSeq, duplicates included
	duplicates int64 // of those
	// Earlier sources of the same stream.
	pastExpected, pastReceived, pastDuplicates int64
	// As of the last report.
	priorExpected, priorReceived int64

	timed   bool
	transit int64   // in timestamp units
	jitter  float64 // in timestamp units
	timings int     // packets that jitter was computed from
}

// update takes the next packet's source and sequence number.
func (s *source) update(ssrc uint32, seq uint16) verdict {
	if !s.active || ssrc != s.ssrc {
		s.ssrc = ssrc
		return s.restart(seq)
	}
	delta := seq - s.maxSeq
	switch {
	case delta == 0:
		return s.late(0)
	case delta < maxDropout:
		if seq < s.maxSeq {
			s.cycles += seqModulus
		}
		s.maxSeq = seq
		s.shift(uint(delta))
		s.badSeq = seqModulus + 1
		s.received++
		return inOrder
	case int(delta) <= seqModulus-maxMisorder:
		// A leap. Two packets in sequence mean that the sender started anew.
		if uint32(seq) == s.badSeq {
			return s.restart(seq)
		}
		s.badSeq = uint32(seq + 1)
		return suspect
	default:
		return s.late(uint(-delta))
	}
}

// restart begins a new sequence, keeping the totals.
func (s *source) restart(seq uint16) verdict {
	s.pastExpected, s.pastReceived, s.pastDuplicates = s.expected(), s.totalReceived(), s.totalDuplicates()
	s.active = true
	s.baseSeq, s.maxSeq, s.cycles = seq, seq, 0
	s.badSeq = seqModulus + 1
	s.seen = [2]uint64{1, 0}
	s.received, s.duplicates = 1, 0
	s.timed = false
	return restarted
}

// late takes a packet that is age packets older than the newest.
func (s *source) late(age uint) verdict {
	word, bit := age/64, uint64(1)<<(age%64)
	s.received++
	if s.seen[word]&bit != 0 {
		s.duplicates++
		return duplicate
	}
	s.seen[word] |= bit
	return reordered
}

func (s *source) shift(by uint) {
	switch {
	case by >= 128:
		s.seen = [2]uint64{}
	case by >= 64:
		s.seen = [2]uint64{0, s.seen[0] << (by - 64)}
	default:
		s.seen[1] = s.seen[1]<<by | s.seen[0]>>(64-by)
		s.seen[0] <<= by
	}
	s.seen[0] |= 1
}

// extended returns the extended highest sequence number.
func (s *source) extended() uint32 { return s.cycles + uint32(s.maxSeq) }

func (s *source) expected() int64 {
	if !s.active {
		return 0
	}
	// A reordered packet from before the first one makes no difference to what was expected (RFC 3550 A.3).
	return s.pastExpected + int64(s.extended()) - int64(s.baseSeq) + 1
}

func (s *source) totalReceived() int64 { return s.pastReceived + s.received }

func (s *source) totalDuplicates() int64 { return s.pastDuplicates + s.duplicates }

// lost is the cumulative number of packets lost (RFC 3550 A.3).
func (s *source) lost() int64 { return s.expected() - s.totalReceived() }

// fractionLost is of all packets expected so far, from 0 to 1. Unlike in lost, a duplicate does not make up for a loss.
func (s *source) fractionLost() float64 {
	expected := s.expected()
	missing := expected - (s.totalReceived() - s.totalDuplicates())
	if expected <= 0 || missing <= 0 {
		return 0
	}
	return float64(missing) / float64(expected)
}

// intervalFraction is the fraction lost since it was last asked, in units of 1/256 (RFC 3550 A.3).
func (s *source) intervalFraction() uint8 {
	expected, received := s.expected(), s.totalReceived()
	expectedInterval, receivedInterval := expected-s.priorExpected, received-s.priorReceived
	s.priorExpected, s.priorReceived = expected, received
	lost := expectedInterval - receivedInterval
	if expectedInterval <= 0 || lost <= 0 {
		return 0
	}
	return uint8(min(lost*256/expectedInterval, 255))
}

// time takes the timestamp of an audio packet and when it arrived (RFC 3550 A.8). A difference of more than a second is a leap of
// the sender's clock, not jitter.
func (s *source) time(timestamp uint32, at time.Time) {
	// Only differences count; the arrival may wrap with the timestamp.
	arrival := uint32(at.UnixMicro() * (SampleRate / 1000) / 1000)
	transit := int64(int32(arrival - timestamp))
	if s.timed {
		difference := int64(int32(uint32(transit) - uint32(s.transit)))
		if difference < 0 {
			difference = -difference
		}
		if difference <= SampleRate {
			s.jitter += (float64(difference) - s.jitter) / 16
			s.timings++
		}
	}
	s.timed, s.transit = true, transit
}
