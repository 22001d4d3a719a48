package socket

import (
	"cmp"
	"fmt"
	"net"
	"slices"
)

// Interface is one entry of IfNameIndex.
type Interface struct {
	Index int
	Name  string
}

// IfNameIndex lists the host's network interfaces by index, if_nameindex(3).
func IfNameIndex() ([]Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("socket: listing the interfaces: %w", err)
	}
	out := make([]Interface, 0, len(all))
	for _, i := range all {
		out = append(out, Interface{Index: i.Index, Name: i.Name})
	}
	slices.SortFunc(out, func(a, b Interface) int { return cmp.Compare(a.Index, b.Index) })
	return out, nil
}

// IfNameToIndex gives the index of an interface, if_nametoindex(3). The error
// tells that no interface has that name.
func IfNameToIndex(name string) (int, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return 0, fmt.Errorf("socket: no interface with the name %q", name)
	}
	return i.Index, nil
}

// IfIndexToName gives the name of an interface, if_indextoname(3). The error
// tells that no interface has that index.
func IfIndexToName(index int) (string, error) {
	i, err := net.InterfaceByIndex(index)
	if err != nil {
		return "", fmt.Errorf("socket: no interface with the index %d", index)
	}
	return i.Name, nil
}
