package message

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// FormatDate writes a date as RFC 5322 3.3 has it. A time in UTC is written
// +0000.
func FormatDate(t time.Time) string { return t.Format("Mon, 2 Jan 2006 15:04:05 -0700") }

// ParseDate reads a date. It takes the forms of RFC 5322 with its obsolete
// ones, of RFC 850 and of asctime and date(1), ISO 8601, and what programs make
// of them: years of two or three digits (RFC 5322 4.3), full names of months,
// no seconds, dots for colons, a.m. and p.m., fractions, zones by name or
// letter, comments. The day of the week is not looked at. Where no zone is
// known, or it is "-0000", the time is in time.UTC. The error is [ErrDate].
func ParseDate(value string) (time.Time, error) {
	if t, ok := usualDate(value); ok {
		return t, nil
	}
	d := dateParser{year: -1, day: -1, hour: -1}
	if len(value) > maxLine || !d.read(dateTokens(value)) {
		return time.Time{}, fmt.Errorf("%w: %.100q", ErrDate, value)
	}
	t, ok := d.time()
	if !ok {
		return time.Time{}, fmt.Errorf("%w: %.100q", ErrDate, value)
	}
	return t, nil
}

// usualDate reads the form that FormatDate writes, and nearly all programs: this
// costs little. Everything else, and what may be wrong, is left to dateParser.
func usualDate(s string) (t time.Time, ok bool) {
	if len(s) >= 5 && s[3] == ',' && s[4] == ' ' && strings.Index("Sun Mon Tue Wed Thu Fri Sat ", s[:3]+" ")%4 == 0 {
		s = s[5:]
	}
	if len(s) >= 2 && s[1] == ' ' {
		s = "0" + s
	}
	const form = "00 Jan 0000 00:00:00 +0000"
	if len(s) != len(form) {
		return t, false
	}
	for i := range len(form) {
		switch c := s[i]; {
		case form[i] == '0' && (c < '0' || c > '9'), strings.IndexByte(" :", form[i]) >= 0 && c != form[i]:
			return t, false
		}
	}
	two := func(at int) int { return 10*int(s[at]-'0') + int(s[at+1]-'0') }
	month := strings.Index("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ", s[3:7])
	year, day := 100*two(7)+two(9), two(0)
	hour, minute, sec, zone := two(12), two(15), two(18), 3600*two(22)+60*two(24)
	switch {
	case month%4 != 0, day == 0, day > daysIn(time.Month(month/4+1), year), hour > 23, minute > 59, sec > 59, two(22) > 23, two(24) > 59, s[21] != '+' && s[21] != '-' || s[21:] == "-0000":
		return t, false
	case s[21] == '-':
		zone = -zone
	}
	return time.Date(year, time.Month(month/4+1), day, hour, minute, sec, 0, time.FixedZone("", zone)), true
}

// dateTokens cuts a date at white space and commas, comments left out; around
// a colon there may be both (RFC 5322 A.6.3).
func dateTokens(value string) []string {
	l := scanText(value)
	var list []string
	for len(list) < 12 {
		l.skipCFWS()
		for l.take(',') {
			l.skipCFWS()
		}
		if l.done() {
			break
		}
		from := l.i
		for !l.done() && !isSpace(l.s[l.i]) && l.s[l.i] != ',' && l.s[l.i] != '(' {
			l.i++
		}
		word := l.s[from:l.i]
		if n := len(list); n > 0 && (word[0] == ':' || strings.HasSuffix(list[n-1], ":")) {
			list[n-1] += word
			continue
		}
		list = append(list, word)
	}
	return list
}

type dateParser struct {
	year, day         int
	month             time.Month
	hour, minute, sec int
	nano              int
	pm, am            bool
	zone              int // seconds east
	zoned             bool
	utc               bool // a zone that says nothing: RFC 5322's -0000
}

func (d *dateParser) read(tokens []string) bool {
	for _, token := range tokens {
		if !d.token(token) {
			return false
		}
	}
	return d.day >= 0 && d.month > 0 && d.year >= 0
}

// token takes one word for whatever is still missing.
func (d *dateParser) token(s string) bool {
	switch {
	case d.month > 0 && d.hour >= 0 && d.offset(s):
	case strings.ContainsAny(s, ":") && s[0] >= '0' && s[0] <= '9' && d.hour < 0 && !strings.ContainsAny(s, "Tt"):
		return d.clock(s)
	case strings.Count(s, "-") == 2 || strings.Count(s, "/") == 2 || strings.Count(s, "-") >= 2 && strings.ContainsAny(s, "Tt"):
		return d.dashed(s)
	case s[0] >= '0' && s[0] <= '9':
		return d.number(s)
	case d.month == 0 && d.name(s):
	case d.half(s):
	case d.hour >= 0 && d.zoneName(s):
	default:
		return weekday(s) || len(tokenLetters(s)) > 0 && d.hour >= 0
	}
	return true
}

// number takes a day, a year, or a time with dots.
func (d *dateParser) number(s string) bool {
	if strings.Count(s, ".") >= 1 && d.hour < 0 && d.month > 0 && len(s) >= 4 && d.year >= 0 {
		return d.clock(strings.ReplaceAll(s, ".", ":"))
	}
	trimmed := strings.TrimRight(s, ".stndrh") // 1st, 2nd, 3rd, 4th, 5.
	n, err := strconv.Atoi(trimmed)
	if err != nil {
		return d.hour < 0 && d.clockWithHalf(s)
	}
	switch {
	case d.day < 0 && len(trimmed) <= 2 && n >= 1 && n <= 31:
		d.day = n
	case d.year < 0 && len(trimmed) == 4 || d.year < 0 && d.month > 0:
		d.year = fullYear(n, len(trimmed))
	default:
		return d.month > 0 && d.hour >= 0 // a number too many, at the end
	}
	return true
}

// fullYear is the year of a number of that many digits. RFC 5322 4.3.
func fullYear(n, digits int) int {
	switch {
	case digits == 2 && n < 50:
		return 2000 + n
	case digits <= 3:
		return 1900 + n
	}
	return n
}

// clock takes hours, minutes, perhaps seconds and a fraction.
func (d *dateParser) clock(s string) bool {
	if i := strings.IndexAny(s, "+-"); i > 0 { // 12:00:00+0100
		if !d.offset(s[i:]) {
			return false
		}
		s = s[:i]
	}
	if z := strings.TrimRight(s, "Zz"); z != s {
		s, d.zoned, d.zone = z, true, 0
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r >= 'A' }); i > 0 {
		if !d.half(s[i:]) && !d.zoneName(s[i:]) {
			return false
		}
		s = s[:i]
	}
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 4 {
		return false
	}
	var ok [3]bool
	d.hour, ok[0] = small(parts[0], 24)
	d.minute, ok[1] = small(parts[1], 59)
	ok[2] = true
	if len(parts) > 2 {
		whole, fraction, _ := strings.Cut(strings.ReplaceAll(parts[2], ",", "."), ".")
		d.sec, ok[2] = small(whole, 60)
		if f, err := strconv.ParseFloat("0."+fraction, 64); err == nil {
			d.nano = int(f * 1e9)
		}
	}
	return ok[0] && ok[1] && ok[2]
}

// clockWithHalf takes "9pm".
func (d *dateParser) clockWithHalf(s string) bool {
	i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if i <= 0 || !d.half(s[i:]) {
		return false
	}
	var ok bool
	d.hour, ok = small(s[:i], 12)
	return ok
}

func small(s string, most int) (int, bool) {
	if s == "" || len(s) > 2 {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 8)
	return int(n), err == nil && int(n) <= most
}

// dashed takes 06-Nov-94, 1994-11-06, 1994/11/06 and 1994-11-06T08:49:37Z.
func (d *dateParser) dashed(s string) bool {
	date, clock := s, ""
	if i := strings.IndexAny(s, "Tt"); i == 10 {
		date, clock = s[:i], s[i+1:]
	}
	parts := strings.FieldsFunc(date, func(r rune) bool { return r == '-' || r == '/' })
	if len(parts) != 3 {
		return false
	}
	if len(parts[0]) == 4 { // the year first
		parts[0], parts[2] = parts[2], parts[0]
	}
	day, err := strconv.Atoi(parts[0])
	year, err2 := strconv.Atoi(parts[2])
	if err != nil || err2 != nil || year < 0 || day < 1 {
		return false
	}
	d.day, d.year = day, fullYear(year, len(parts[2]))
	if n, ok := small(parts[1], 12); ok {
		d.month = time.Month(n)
	} else if !d.name(parts[1]) {
		return false
	}
	return clock == "" || d.clock(clock)
}

const monthNames = "janfebmaraprmayjunjulaugsepoctnovdec"

// name takes the name of a month, of three letters or more.
func (d *dateParser) name(s string) bool {
	s = strings.ToLower(strings.TrimRight(s, "."))
	if len(s) < 3 {
		return false
	}
	i := strings.Index(monthNames, s[:3])
	if i < 0 || i%3 != 0 {
		return false
	}
	full := strings.ToLower(time.Month(i/3 + 1).String())
	if !strings.HasPrefix(full, s) && s != "sept" {
		return false
	}
	d.month = time.Month(i/3 + 1)
	return true
}

func weekday(s string) bool {
	s = strings.ToLower(strings.TrimRight(s, "."))
	for day := time.Sunday; day <= time.Saturday; day++ {
		if len(s) >= 2 && strings.HasPrefix(strings.ToLower(day.String()), s) {
			return true
		}
	}
	return s == "tues" || s == "thur" || s == "thurs"
}

// half takes a.m. and p.m.
func (d *dateParser) half(s string) bool {
	switch strings.ToLower(strings.ReplaceAll(s, ".", "")) {
	case "am":
		d.am = true
	case "pm":
		d.pm = true
	default:
		return false
	}
	return true
}

// offset takes +0100, -01:00, +1, GMT+0100.
func (d *dateParser) offset(s string) bool {
	for _, name := range []string{"GMT", "UTC", "UT"} {
		if rest, ok := cutPrefixFold(s, name); ok && rest != "" {
			s = rest
			break
		}
	}
	if len(s) < 2 || s[0] != '+' && s[0] != '-' {
		return false
	}
	digits := strings.ReplaceAll(s[1:], ":", "")
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || len(digits) > 4 {
		return false
	}
	hours, minutes := int(n)/100, int(n)%100
	if len(digits) <= 2 {
		hours, minutes = int(n), 0
	}
	if d.zoned { // "GMT +0100": the number is the better word
		d.zone = 0
	}
	d.zone = hours*3600 + minutes*60
	d.utc = s[0] == '-' && d.zone == 0
	if s[0] == '-' {
		d.zone = -d.zone
	}
	d.zoned = true
	return true
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// tokenLetters is the letters that s begins with.
func tokenLetters(s string) string {
	i := 0
	for i < len(s) && (s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z') {
		i++
	}
	return s[:i]
}

// zoneName takes the names of RFC 5322 4.3 and some of Europe and Asia; the
// letters of the military, which RFC 822 gave the wrong sign, say nothing, but for Z.
func (d *dateParser) zoneName(s string) bool {
	h, known := zoneHours(strings.ToUpper(strings.Trim(s, "\"'")))
	switch {
	case d.zoned:
		return known
	case known:
		d.zone, d.zoned = h*3600, true
	case len(s) == 1:
		d.zoned, d.utc = true, true
	}
	return d.zoned
}

func zoneHours(name string) (int, bool) {
	switch name {
	case "UT", "GMT", "UTC", "Z", "WET":
		return 0, true
	case "CET", "MET", "BST", "WEST":
		return 1, true
	case "CEST", "MEST", "EET":
		return 2, true
	case "EEST", "MSK":
		return 3, true
	case "JST", "KST":
		return 9, true
	case "ADT":
		return -3, true
	case "EDT", "AST":
		return -4, true
	case "EST", "CDT":
		return -5, true
	case "CST", "MDT":
		return -6, true
	case "MST", "PDT":
		return -7, true
	case "PST", "AKDT":
		return -8, true
	case "AKST":
		return -9, true
	case "HST":
		return -10, true
	}
	return 0, false
}

func (d *dateParser) time() (time.Time, bool) {
	hour := max(d.hour, 0)
	switch {
	case d.pm && hour < 12:
		hour += 12
	case d.am && hour == 12:
		hour = 0
	}
	if hour == 24 && d.minute+d.sec > 0 || d.day > daysIn(d.month, d.year) || d.zone > 24*3600 || d.zone < -24*3600 {
		return time.Time{}, false
	}
	zone := time.UTC
	if d.zoned && !d.utc {
		zone = time.FixedZone("", d.zone)
	}
	return time.Date(d.year, d.month, d.day, hour, d.minute, d.sec, d.nano, zone), true
}

func daysIn(m time.Month, year int) int {
	return time.Date(year, m+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
