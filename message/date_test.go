package message

import (
	"errors"
	"testing"
	"time"
)

func TestParseDate(t *testing.T) {
	for in, want := range map[string]string{
		"Fri, 21 Nov 1997 09:55:06 -0600": "1997-11-21T09:55:06-06:00",
		"Tue, 1 Jul 2003 10:52:37 +0200":  "2003-07-01T10:52:37+02:00",
		"Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)": "1969-02-13T23:32:00-03:30",
		"21 Nov 97 09:55:06 GMT":                          "1997-11-21T09:55:06Z",
		"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600": "1997-11-21T09:55:06-06:00",
		"Sunday, 06-Nov-94 08:49:37 GMT":                  "1994-11-06T08:49:37Z",
		"Sun Nov  6 08:49:37 1994":                        "1994-11-06T08:49:37Z",
		"Sun Nov  6 08:49:37 1994 +0100":                  "1994-11-06T08:49:37+01:00",
		"Sun Nov  6 08:49:37 PST 1994":                    "1994-11-06T08:49:37-08:00",
		"1994-11-06T08:49:37Z":                            "1994-11-06T08:49:37Z",
		"1994-11-06T08:49:37.5+01:00":                     "1994-11-06T08:49:37.5+01:00",
		"1994-11-06 08:49:37 +0100":                       "1994-11-06T08:49:37+01:00",
		"1994/11/06 08:49":                                "1994-11-06T08:49:00Z",
		"Fri, 21 Nov 1997 09:55:06 -0000":                 "1997-11-21T09:55:06Z",
		"Fri, 21 Nov 1997 09:55:06 EDT":                   "1997-11-21T09:55:06-04:00",
		"Fri, 21 Nov 1997 09:55:06 A":                     "1997-11-21T09:55:06Z",
		"Fri, 21 Nov 1997 09:55:06 Z":                     "1997-11-21T09:55:06Z",
		"Fri, 21 Nov 1997 09:55:06 \"GMT\"":               "1997-11-21T09:55:06Z",
		"Fri, 21 Nov 1997 09:55:06 GMT+0200":              "1997-11-21T09:55:06+02:00",
		"Fri, 21 Nov 1997 09:55:06 +02:00":                "1997-11-21T09:55:06+02:00",
		"Fri, 21 Nov 1997 09:55:06 +0200 (CEST)":          "1997-11-21T09:55:06+02:00",
		"Fri, 21 Nov 1997 09:55:06 +0200 CEST":            "1997-11-21T09:55:06+02:00",
		"Fri, 21 Nov 1997 09:55:06 GMT (+02:00)":          "1997-11-21T09:55:06Z",
		"Fri, 21 Nov 1997 9:55 -0600":                     "1997-11-21T09:55:00-06:00",
		"Fri, 21 November 1997 09:55:06 -0600":            "1997-11-21T09:55:06-06:00",
		"Fri, 5 Sept 1997 09:55:06 -0600":                 "1997-09-05T09:55:06-06:00",
		"Fri 21 Nov 1997 09.55.06 -0600":                  "1997-11-21T09:55:06-06:00",
		"Friday, November 21, 1997 9:55 PM":               "1997-11-21T21:55:00Z",
		"21 Nov 1997 12:05:00 am +0100":                   "1997-11-21T00:05:00+01:00",
		"21 Nov 49 00:00:00 +0000":                        "2049-11-21T00:00:00Z",
		"21 Nov 50 00:00:00 +0000":                        "1950-11-21T00:00:00Z",
		"21 Nov 103 00:00:00 +0000":                       "2003-11-21T00:00:00Z",
		"Sat, 31 Dec 2016 23:59:60 +0000":                 "2017-01-01T00:00:00Z",
		"Sat, 31 Dec 2016 24:00:00 +0000":                 "2017-01-01T00:00:00Z",
		"Fri, 21 Nov 1997":                                "1997-11-21T00:00:00Z",
		"21 Nov 1997 09:55:06-0600":                       "1997-11-21T09:55:06-06:00",
		"Fr, 21 Nov 1997 09:55:06 -0600":                  "1997-11-21T09:55:06-06:00",
		"Mon, 29 Feb 2100 00:00:00 +0000":                 "",
		"Fri, 31 Nov 1997 09:55:06 -0600":                 "",
		"Fri, 21 Nov 1997 25:55:06 -0600":                 "",
		"Fri, 21 Nov 1997 09:61:06 -0600":                 "",
		"Fri, 21 Nov 1997 24:00:01 -0600":                 "",
		"Fri, 21 Foo 1997 09:55:06 -0600":                 "",
		"yesterday":                                       "",
		"":                                                "",
		"0":                                               "",
	} {
		got, err := ParseDate(in)
		if want == "" {
			if !errors.Is(err, ErrDate) {
				t.Errorf("%q: %v, %v, want ErrDate", in, got, err)
			}
			continue
		}
		if s := got.Format(time.RFC3339Nano); err != nil || s != want {
			t.Errorf("%q: %s, %v, want %s", in, s, err, want)
		}
	}
}

func TestFormatDateRoundTrip(t *testing.T) {
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("", -(3*3600 + 1800)), time.FixedZone("", 14*3600)} {
		want := time.Date(2024, 2, 29, 23, 59, 58, 0, zone)
		got, err := ParseDate(FormatDate(want))
		if err != nil || !got.Equal(want) || FormatDate(got) != FormatDate(want) {
			t.Errorf("%s: %s, %v", FormatDate(want), got, err)
		}
	}
}

// TestUsualDate has the short way say what the long one says, or nothing.
func TestUsualDate(t *testing.T) {
	short := 0
	for _, weekday := range []string{"", "Sat, ", "Xyz, ", "atM, ", "Sat,"} {
		for _, day := range []string{"0", "1", "01", "21", "29", "31", "32", "1a"} {
			for _, month := range []string{"Jan", "Feb", "Nov", "nov", "Nov ", "anF"} {
				for _, rest := range []string{"2026 10:00:00 +0000", "2024 23:59:59 -0330", "0001 00:00:00 +2359", "2026 24:00:00 +0100", "2026 10:00:60 +0100",
					"2026 10:60:00 +0100", "2026 10:00:00 -0000", "2026 10:00:00 +2400", "2026 10:00:00 *0100", "2026 10.00.00 +0100", "26 10:00:00 +0100", "2026 10:00:00 +0160"} {
					value := weekday + day + " " + month + " " + rest
					got, ok := usualDate(value)
					if !ok {
						continue
					}
					short++
					d := dateParser{year: -1, day: -1, hour: -1}
					want, known := time.Time{}, d.read(dateTokens(value))
					if known {
						want, known = d.time()
					}
					if !known || !got.Equal(want) || got.Format(time.RFC1123Z) != want.Format(time.RFC1123Z) || (got.Location() == time.UTC) != (want.Location() == time.UTC) {
						t.Errorf("%q: %v, want %v, %t", value, got, want, known)
					}
				}
			}
		}
	}
	if short < 50 {
		t.Errorf("%d of them were read the short way", short)
	}
}
