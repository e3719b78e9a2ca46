package host

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

const (
	usualMemory = 48 << 20 // bytes that an awake sandbox with its stores takes in a lesson, with room
	leastAwake  = 4
)

// awakeByMemory tells how many sandboxes this machine carries at once: two thirds of what
// is free at the start, since some learners use far more than others.
func awakeByMemory() int {
	free := int64(4 << 30) // where the kernel does not say
	if f, err := os.Open("/proc/meminfo"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var kb int64
			if n, _ := fmt.Sscanf(strings.TrimSpace(lines.Text()), "MemAvailable: %d kB", &kb); n == 1 {
				free = kb << 10
			}
		}
	}
	return max(leastAwake, int(free*2/3/usualMemory))
}
