package show

import (
	"io"
	"strconv"
	"strings"
)

// Live is a picture that is drawn again in its place.
type Live struct {
	Out  io.Writer
	Size func() (width, height int) // of the terminal, asked each time: windows change

	drawn int
}

// Draw replaces the picture. Lines beyond the height of the terminal are counted instead.
func (l *Live) Draw(lines []string) error {
	width, height := l.Size()
	if rest := len(lines) - (height - 1); height > 2 && rest > 0 {
		lines = append(lines[:height-2:height-2], "… and "+strconv.Itoa(rest+1)+" more")
	}
	var out strings.Builder
	if l.drawn > 0 {
		out.WriteString("\x1b[" + strconv.Itoa(l.drawn) + "A")
	}
	for _, line := range lines {
		out.WriteString("\r\x1b[2K" + Cut(Safe(line), width) + "\n")
	}
	out.WriteString("\x1b[J") // what the last picture had more
	l.drawn = len(lines)
	_, err := io.WriteString(l.Out, out.String())
	return err
}
