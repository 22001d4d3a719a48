//go:build race

package message

// underRace tells that the race detector makes everything ten times slower.
const underRace = true
