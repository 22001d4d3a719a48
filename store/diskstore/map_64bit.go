//go:build unix && (amd64 || arm64 || loong64 || mips64 || mips64le || ppc64 || ppc64le || riscv64 || s390x)

package diskstore

// mapSize is how much address space the index gets at the start, in bytes: as
// long as it fits in, an Update never has to wait until no View runs.
const mapSize = 64 << 30
