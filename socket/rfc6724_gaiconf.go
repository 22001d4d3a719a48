package socket

import (
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// SystemPolicy is the policy of this system's C library, so that our lists have
// the order of everybody else's: GNUPolicy, as gai.conf(5) changes it, on a
// Linux that has the GNU C library; RFC6724Policy elsewhere.
func SystemPolicy() Policy { return (*Resolver)(nil).policy() }

func (r *Resolver) policy() Policy {
	if r != nil && r.Policy != nil {
		return *r.Policy
	}
	p := RFC6724Policy()
	if hasGNULibrary() {
		p = GNUPolicy()
	}
	f, err := os.Open(r.file("gai.conf"))
	if err != nil {
		return p
	}
	defer f.Close()
	return p.changedBy(f)
}

// hasGNULibrary looks for the GNU C library's dynamic loader.
func hasGNULibrary() bool {
	if runtime.GOOS != "linux" {
		return false
	}
	for _, dir := range []string{"/lib64", "/lib"} {
		if found, _ := filepath.Glob(dir + "/ld-linux*.so.*"); len(found) > 0 {
			return true
		}
	}
	_, err := os.Stat("/lib64/ld64.so.1") // its name on s390x and ppc64
	return err == nil
}

// changedBy reads gai.conf(5). If there is any line of one kind, label or
// precedence, such lines replace that whole table. Lines that make no sense are
// passed over, and so are scopev4 and reload.
func (p Policy) changedBy(in io.Reader) Policy {
	var labels, precedences []PolicyRow
	for fields := range tableLines(in) {
		if len(fields) != 3 {
			continue
		}
		r, ok := parsePolicyRow(fields[1], fields[2])
		if !ok {
			continue
		}
		switch fields[0] {
		case "label":
			labels = append(labels, r)
		case "precedence":
			precedences = append(precedences, r)
		}
	}
	// What the file's rows leave over has the value that ::/0 has by default; a
	// row for ::/0 in the file comes first and stays.
	if labels != nil {
		p.Label = append(labels, row("::/0", 1))
	}
	if precedences != nil {
		p.Precedence = append(precedences, row("::/0", 40))
	}
	return p
}

func parsePolicyRow(prefix, value string) (PolicyRow, bool) {
	address, length, sized := strings.Cut(prefix, "/")
	addr, err := netip.ParseAddr(address)
	if err != nil || !addr.Is6() || addr.Zone() != "" {
		return PolicyRow{}, false
	}
	size := 128
	if sized {
		size, err = strconv.Atoi(length)
	}
	n, valueErr := strconv.ParseInt(value, 10, 32)
	if err != nil || valueErr != nil || size < 0 || size > 128 || n < 0 {
		return PolicyRow{}, false
	}
	return PolicyRow{netip.PrefixFrom(addr, size), int(n)}, true
}
