package bridge

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxLine is how long a line of a log may be, in bytes.
const maxLine = 64 << 10

// ReadHex reads a log of notifications, one a line, to its end, and hands them on. Lines
// that hold none are passed over: what gatttool, bluetoothctl and nRF Connect print beside
// them. Where not one of the lines holds any, it is an error: this is no such log.
func ReadHex(in io.Reader, d Decoder, to Sink) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	read, held := 0, 0
	for lines.Scan() {
		read++
		if data := hexLine(lines.Text()); len(data) > 0 {
			held++
			d.Notification(data, to)
		}
	}
	d.End(to)
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("read notifications: a line has more than %d bytes; is the input binary?", maxLine)
	} else if err != nil {
		return fmt.Errorf("read notifications: %w", err)
	}
	if read > 0 && held == 0 {
		return fmt.Errorf("read notifications: none of %d lines shows a notification in hex; is the input binary?", read)
	}
	return nil
}

// hexLine returns the bytes that a line shows in hex, nil where it shows none. They begin
// behind "value:" or the line's begin, with or without 0x, are pairs together or with one
// space, hyphen or colon between them, and end at anything else, such as the column of
// letters of a hex dump.
func hexLine(line string) []byte {
	if i := max(strings.LastIndex(line, "value:"), strings.LastIndex(line, "Value:")); i >= 0 {
		line = line[i+len("value:"):]
	}
	line = strings.TrimSpace(line)
	for _, prefix := range []string{"(0x)", "0x"} {
		line = strings.TrimSpace(strings.TrimPrefix(line, prefix))
	}
	var data []byte
	for len(line) >= 2 {
		b, err := hex.DecodeString(line[:2])
		if err != nil {
			break
		}
		data = append(data, b[0])
		line = line[2:]
		if len(line) > 2 && strings.ContainsRune(" -:", rune(line[0])) {
			line = line[1:]
		}
	}
	// "Added" and "bed" begin with pairs, too.
	if line != "" && line[0] != ' ' {
		return nil
	}
	return data
}

// ReadStream reads bytes to their end and hands them on as they come.
func ReadStream(ctx context.Context, in io.Reader, o *OpenBarbell, to Sink) error {
	buffer := make([]byte, 4096)
	for {
		n, err := in.Read(buffer)
		o.Stream(buffer[:n], to)
		if err == nil && ctx.Err() == nil {
			continue
		}
		o.End(to)
		if err == nil || errors.Is(err, io.EOF) || ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("read the sensor: %w", err)
	}
}
