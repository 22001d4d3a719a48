// Package farend is the map of the house: network programming at both of its
// levels, with both ends of every conversation.
package farend
