// Package g711 converts between 16-bit linear PCM and the two laws of ITU-T G.711.
//
// The function names are those of the package zaf/g711, so that one can stand in for the other: the plain names take bytes
// (PCM in little-endian order), those that end in Frame take one sample. It knows nothing of RTP, files or time.
package g711

import (
	"encoding/binary"
	"math/bits"
)

const (
	ulawBias = 33   // ITU-T G.711 table 2a, in units of 14 bits
	ulawMax  = 8158 // the largest magnitude that µ-law can express, in units of 14 bits
	alawMax  = 4095 // of A-law, in units of 13 bits
	alawFlip = 0x55 // even bits are inverted on the line (ITU-T G.711 table 1a, note 2)
	signBit  = 0x80
)

// The tables are filled once, from the rules below, and never change.
var (
	ulawEncoded = encodeTable(ulawOf)
	alawEncoded = encodeTable(alawOf)
	ulawDecoded = decodeTable(linearOfUlaw)
	alawDecoded = decodeTable(linearOfAlaw)
	ulawToAlaw  = convertTable(linearOfUlaw, alawOf)
	alawToUlaw  = convertTable(linearOfAlaw, ulawOf)
)

func encodeTable(encode func(int16) uint8) *[1 << 16]uint8 {
	var table [1 << 16]uint8
	for i := range table {
		table[i] = encode(int16(uint16(i)))
	}
	return &table
}

func decodeTable(decode func(uint8) int16) *[256]int16 {
	var table [256]int16
	for i := range table {
		table[i] = decode(uint8(i))
	}
	return &table
}

func convertTable(decode func(uint8) int16, encode func(int16) uint8) *[256]uint8 {
	var table [256]uint8
	for i := range table {
		table[i] = encode(decode(uint8(i)))
	}
	return &table
}

// ulawOf rounds the sample to 14 bits and encodes it by ITU-T G.711 table 2: sign, exponent of 3 bits, mantissa of 4, all inverted.
func ulawOf(sample int16) uint8 {
	magnitude := (int(sample) + 2) >> 2
	sign := uint8(signBit)
	if magnitude < 0 {
		magnitude = -magnitude
		sign = 0
	}
	magnitude = min(magnitude, ulawMax) + ulawBias
	exponent := bits.Len(uint(magnitude)) - 6
	mantissa := magnitude >> (exponent + 1) & 0x0F
	return sign | (0x7F &^ uint8(exponent<<4|mantissa))
}

func linearOfUlaw(code uint8) int16 {
	code = ^code
	magnitude := (int(code&0x0F)<<1+ulawBias)<<(code>>4&7) - ulawBias
	if code&signBit != 0 {
		magnitude = -magnitude
	}
	return int16(magnitude << 2)
}

// alawOf rounds the sample to 13 bits and encodes it by ITU-T G.711 table 1: sign, exponent of 3 bits, mantissa of 4, even bits inverted.
func alawOf(sample int16) uint8 {
	magnitude := min((int(sample)+4)>>3, alawMax)
	sign := uint8(signBit)
	if magnitude < 0 {
		magnitude = ^magnitude
		sign = 0
	}
	code := uint8(magnitude >> 1) // the two lowest segments are one straight line
	if exponent := bits.Len(uint(magnitude)) - 5; exponent > 0 {
		code = uint8(exponent<<4 | magnitude>>exponent&0x0F)
	}
	return (sign | code) ^ alawFlip
}

func linearOfAlaw(code uint8) int16 {
	code ^= alawFlip
	magnitude := int(code&0x0F)<<1 + 1
	if exponent := code >> 4 & 7; exponent > 0 {
		magnitude = (magnitude + 32) << (exponent - 1)
	}
	if code&signBit == 0 {
		magnitude = -magnitude
	}
	return int16(magnitude << 3)
}

// EncodeUlawFrame encodes one sample to µ-law.
func EncodeUlawFrame(frame int16) uint8 { return ulawEncoded[uint16(frame)] }

// DecodeUlawFrame decodes one sample of µ-law.
func DecodeUlawFrame(frame uint8) int16 { return ulawDecoded[frame] }

// EncodeAlawFrame encodes one sample to A-law.
func EncodeAlawFrame(frame int16) uint8 { return alawEncoded[uint16(frame)] }

// DecodeAlawFrame decodes one sample of A-law.
func DecodeAlawFrame(frame uint8) int16 { return alawDecoded[frame] }

// Alaw2UlawFrame converts one sample of A-law to µ-law.
func Alaw2UlawFrame(frame uint8) uint8 { return alawToUlaw[frame] }

// Ulaw2AlawFrame converts one sample of µ-law to A-law.
func Ulaw2AlawFrame(frame uint8) uint8 { return ulawToAlaw[frame] }

// EncodeUlaw encodes little-endian 16-bit PCM to µ-law. An odd byte at the end is left out.
func EncodeUlaw(lpcm []byte) []byte { return encode(lpcm, ulawEncoded) }

// EncodeAlaw encodes little-endian 16-bit PCM to A-law. An odd byte at the end is left out.
func EncodeAlaw(lpcm []byte) []byte { return encode(lpcm, alawEncoded) }

// DecodeUlaw decodes µ-law to little-endian 16-bit PCM.
func DecodeUlaw(pcm []byte) []byte { return decode(pcm, ulawDecoded) }

// DecodeAlaw decodes A-law to little-endian 16-bit PCM.
func DecodeAlaw(pcm []byte) []byte { return decode(pcm, alawDecoded) }

// Alaw2Ulaw converts A-law to µ-law.
func Alaw2Ulaw(alaw []byte) []byte { return convert(alaw, alawToUlaw) }

// Ulaw2Alaw converts µ-law to A-law.
func Ulaw2Alaw(ulaw []byte) []byte { return convert(ulaw, ulawToAlaw) }

func encode(lpcm []byte, table *[1 << 16]uint8) []byte {
	coded := make([]byte, len(lpcm)/2)
	for i := range coded {
		coded[i] = table[binary.LittleEndian.Uint16(lpcm[2*i:])]
	}
	return coded
}

func decode(coded []byte, table *[256]int16) []byte {
	lpcm := make([]byte, 2*len(coded))
	for i, code := range coded {
		binary.LittleEndian.PutUint16(lpcm[2*i:], uint16(table[code]))
	}
	return lpcm
}

func convert(coded []byte, table *[256]uint8) []byte {
	converted := make([]byte, len(coded))
	for i, code := range coded {
		converted[i] = table[code]
	}
	return converted
}
