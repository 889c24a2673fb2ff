package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/go-audio/audio"
	"github.com/go-audio/wav"
)

// maxWAVFile bounds the memory that an audio file can take: 100 MiB are almost two hours.
const maxWAVFile = 100 << 20

// Format tags of WAV files.
const (
	wavPCM        = 1
	wavALaw       = 6
	wavMuLaw      = 7
	wavExtensible = 0xFFFE // the tag follows in the first two bytes of the sub-format
)

const howToConvert = "; convert it with: sox INPUT -r 8000 -c 1 -b 16 -e signed-integer OUTPUT.wav"

// wavFormat is what the fmt chunk says.
type wavFormat struct {
	tag, channels, bits uint16
	rate                uint32
}

// readWAVFile returns the samples of a WAV file, 8 kHz, one channel, 16-bit PCM or G.711.
func readWAVFile(fsys fs.FS, name string) ([]int16, error) {
	file, err := fsys.Open(name)
	if err != nil {
		var pathError *fs.PathError
		if errors.As(err, &pathError) {
			err = pathError.Err // the caller names the file
		}
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(file, maxWAVFile+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxWAVFile {
		return nil, fmt.Errorf("it is longer than %d MiB", maxWAVFile>>20)
	}
	return decodeWAV(content)
}

func decodeWAV(content []byte) ([]int16, error) {
	format, data, err := findWAVChunks(content)
	if err != nil {
		return nil, err
	}
	if err := format.check(); err != nil {
		return nil, err
	}
	sampleSize := int(format.bits / 8)
	if len(data) < sampleSize {
		return nil, errors.New("it has no audio")
	}
	return decodeWAVData(format, data[:len(data)/sampleSize*sampleSize])
}

// findWAVChunks returns the format and the audio. No size in the file is believed beyond what is there: the data chunk of a
// recording that was cut off ends where the file ends.
func findWAVChunks(content []byte) (format wavFormat, data []byte, err error) {
	if len(content) < 12 || string(content[:4]) != "RIFF" || string(content[8:12]) != "WAVE" {
		return format, nil, errors.New("it is not a WAV file" + howToConvert)
	}
	for rest := content[12:]; len(rest) >= 8; {
		id, size := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		body := rest[:min(size, int64(len(rest)))]
		switch id {
		case "fmt ":
			if len(body) < 16 {
				return format, nil, errors.New("its fmt chunk is too short: the file is damaged")
			}
			format = wavFormat{
				tag: binary.LittleEndian.Uint16(body), channels: binary.LittleEndian.Uint16(body[2:]),
				rate: binary.LittleEndian.Uint32(body[4:]), bits: binary.LittleEndian.Uint16(body[14:]),
			}
			if format.tag == wavExtensible && len(body) >= 26 {
				format.tag = binary.LittleEndian.Uint16(body[24:])
			}
		case "data":
			if format.tag == 0 {
				return format, nil, errors.New("it has no fmt chunk before the data chunk: the file is damaged")
			}
			return format, body, nil
		}
		rest = rest[min(size+size%2, int64(len(rest))):]
	}
	return format, nil, errors.New("it has no data chunk: the file is damaged")
}

func (f wavFormat) check() error {
	switch {
	case f.tag == wavPCM && f.bits == 16:
	case (f.tag == wavALaw || f.tag == wavMuLaw) && f.bits == 8:
	default:
		return fmt.Errorf("its format (tag %d, %d bits) is neither 16-bit PCM nor G.711%s", f.tag, f.bits, howToConvert)
	}
	if f.rate != SampleRate {
		return fmt.Errorf("it is sampled at %d Hz, not at %d%s", f.rate, SampleRate, howToConvert)
	}
	if f.channels != 1 {
		return fmt.Errorf("it has %d channels, not one%s", f.channels, howToConvert)
	}
	return nil
}

// decodeWAVData decodes the audio. The decoder is given a header of our own: it would believe any other chunk's size.
func decodeWAVData(format wavFormat, data []byte) ([]int16, error) {
	sampleSize := int(format.bits / 8)
	clean := make([]byte, 0, wavHeaderSize+len(data))
	clean = append(clean, "RIFF"...)
	clean = binary.LittleEndian.AppendUint32(clean, uint32(wavHeaderSize-8+len(data)))
	clean = append(clean, "WAVEfmt "...)
	clean = binary.LittleEndian.AppendUint32(clean, 16)
	clean = binary.LittleEndian.AppendUint16(clean, format.tag)
	clean = binary.LittleEndian.AppendUint16(clean, 1)
	clean = binary.LittleEndian.AppendUint32(clean, SampleRate)
	clean = binary.LittleEndian.AppendUint32(clean, SampleRate*uint32(sampleSize))
	clean = binary.LittleEndian.AppendUint16(clean, uint16(sampleSize))
	clean = binary.LittleEndian.AppendUint16(clean, format.bits)
	clean = append(clean, "data"...)
	clean = binary.LittleEndian.AppendUint32(clean, uint32(len(data)))
	clean = append(clean, data...)

	decoder := wav.NewDecoder(bytes.NewReader(clean))
	block := &audio.IntBuffer{Data: make([]int, SampleRate)}
	pcm := make([]int16, 0, len(data)/sampleSize)
	for len(pcm) < cap(pcm) {
		n, err := decoder.PCMBuffer(block)
		if err != nil {
			return nil, fmt.Errorf("it cannot be decoded: %w", err)
		}
		if n == 0 {
			break
		}
		for _, value := range block.Data[:n] {
			pcm = append(pcm, format.linear(value))
		}
	}
	return pcm, nil
}

// linear returns the sample that a value of the file stands for.
func (f wavFormat) linear(value int) int16 {
	switch f.tag {
	case wavALaw:
		return PCMA.Decode(byte(value))
	case wavMuLaw:
		return PCMU.Decode(byte(value))
	default:
		return int16(value)
	}
}
