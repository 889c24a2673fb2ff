package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds one record: a timeline of some hundred entries stays far below.
const maxLine = 1 << 20

// Read calls each for every record of a call_records.jsonl file, and stops at the first error. A last line without its end is
// left out: the process that wrote it was killed in the middle.
func Read(from io.Reader, each func(*Record) error) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxLine)
	lines.Split(wholeLines)
	number := 0
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var r Record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("line %d: not a call record: %w", number, err)
		}
		if r.Schema != Schema {
			return fmt.Errorf("line %d: schema version %d is not known; this program reads version %d", number, r.Schema, Schema)
		}
		if err := each(&r); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("line %d: longer than %d bytes: not a call record", number+1, maxLine)
	} else if err != nil {
		return fmt.Errorf("line %d: %w", number+1, err)
	}
	return nil
}

// wholeLines is a bufio.SplitFunc that leaves out a last line without its end.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if end := bytes.IndexByte(data, '\n'); end >= 0 {
		return end + 1, data[:end], nil
	}
	if atEOF {
		return len(data), nil, nil
	}
	return 0, nil, nil
}
