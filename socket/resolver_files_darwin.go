package socket

// dnsByFile tells whether resolv.conf is what this system's programs go by.
// macOS keeps it for other programs but has its own, per-domain configuration.
const dnsByFile = false

func systemFile(name string) string { return "/etc/" + name }
