//go:build !(unix && (amd64 || arm64 || loong64 || mips64 || mips64le || ppc64 || ppc64le || riscv64 || s390x))

package diskstore

// mapSize is 0 where address space is scarce, and on Windows, where the file
// would be made as large.
const mapSize = 0
