package load

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// machineTime is how long the cores have worked, and have been there, in ticks
// (/proc/stat, proc_stat(5)).
func machineTime() (busy, all float64) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := bytes.Cut(b, lineFeed)
	for i, field := range strings.Fields(string(line)) {
		n, err := strconv.ParseFloat(field, 64)
		if i == 0 || i > 8 || err != nil { // the name; guests, which are in user time already
			continue
		}
		all += n
		if i != 4 && i != 5 { // idle, and waiting for a disk
			busy += n
		}
	}
	return busy, all
}
