package maildir

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// keywordFile is where Dovecot tells what small letters among the flags mean:
// a line "0 Word" for a, and so on.
const keywordFile = "dovecot-keywords"

// MaxKeywords is how many keywords a Maildir can have: a to z.
const MaxKeywords = 26

// Keywords gives the keywords that the small letters among the flags stand for,
// by the file of Dovecot's in the Maildir: a's first. "" and what is missing
// stand for nothing. Without the file there are none.
func (d *Dir) Keywords() ([]string, error) {
	text, err := fs.ReadFile(d.root.FS(), keywordFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var words []string
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		number, word, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n >= MaxKeywords || strings.TrimSpace(word) == "" {
			continue
		}
		for len(words) <= n {
			words = append(words, "")
		}
		words[n] = strings.TrimSpace(word)
	}
	return words, nil
}

// SetKeywords writes that file.
func (d *Dir) SetKeywords(words []string) error {
	var b []byte
	for i, word := range words[:min(len(words), MaxKeywords)] {
		if word != "" {
			b = fmt.Appendf(b, "%d %s\n", i, word)
		}
	}
	tmp := "tmp/" + newKey()
	err := d.write(tmp, bytes.NewReader(b))
	if err == nil {
		err = d.root.Rename(tmp, keywordFile)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(d.root.Remove(tmp)))
	}
	return d.sync(".")
}
