package web

import (
	"path"
	"strings"
)

// octets is what nobody knows.
const octets = "application/octet-stream"

// MediaType is the type of a file by its name: never guessed from what is in
// it, nor from what this host has installed.
func MediaType(name string) string {
	base := path.Base(name)
	ext := strings.ToLower(path.Ext(base))
	if t, ok := mediaTypes[ext]; ok && ext != "" {
		return t
	}
	switch stem, _, _ := strings.Cut(base, "."); stem {
	case "README", "LICENSE", "LICENCE", "COPYING", "AUTHORS", "NEWS", "CHANGELOG", "INSTALL", "NOTICE", "Makefile", "Dockerfile", "gophermap", "caps":
		if ext == "" {
			return text("plain")
		}
	}
	return octets
}

func text(kind string) string { return "text/" + kind + "; charset=utf-8" }

// mediaTypes by extension, as IANA registers them.
var mediaTypes = map[string]string{
	".html": text("html"), ".htm": text("html"), ".xhtml": "application/xhtml+xml", ".css": text("css"),
	".js": text("javascript"), ".mjs": text("javascript"), ".json": "application/json", ".map": "application/json",
	".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson", ".xml": "application/xml", ".xsl": "application/xml", ".rss": "application/rss+xml", ".atom": "application/atom+xml",
	".txt": text("plain"), ".text": text("plain"), ".log": text("plain"), ".conf": text("plain"), ".ini": text("plain"), ".asc": text("plain"),
	".md": text("markdown"), ".markdown": text("markdown"), ".rst": text("plain"), ".csv": text("csv"), ".tsv": text("tab-separated-values"),
	".vcf": text("vcard"), ".ics": text("calendar"), ".vtt": text("vtt"), ".srt": text("plain"), ".diff": text("plain"), ".patch": text("plain"),
	".go": text("plain"), ".py": text("plain"), ".c": text("plain"), ".h": text("plain"), ".cc": text("plain"), ".rs": text("plain"), ".java": text("plain"), ".sh": text("plain"), ".pl": text("plain"), ".rb": text("plain"), ".ts": text("plain"), ".sql": "application/sql",
	".yaml": "application/yaml", ".yml": "application/yaml", ".toml": "application/toml", ".rtf": "application/rtf", ".tex": text("plain"),
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".svg": "image/svg+xml", ".webp": "image/webp", ".avif": "image/avif",
	".ico": "image/vnd.microsoft.icon", ".bmp": "image/bmp", ".tif": "image/tiff", ".tiff": "image/tiff", ".heic": "image/heic", ".jxl": "image/jxl", ".apng": "image/apng",
	".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".flac": "audio/flac", ".wav": "audio/vnd.wave", ".m4a": "audio/mp4", ".aac": "audio/aac", ".mid": "audio/midi",
	".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".ogv": "video/ogg", ".mov": "video/quicktime", ".mkv": "video/matroska", ".mpeg": "video/mpeg", ".mpg": "video/mpeg", ".avi": "video/vnd.avi",
	".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf",
	".pdf": "application/pdf", ".ps": "application/postscript", ".epub": "application/epub+zip", ".djvu": "image/vnd.djvu",
	".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".odt":  "application/vnd.oasis.opendocument.text", ".ods": "application/vnd.oasis.opendocument.spreadsheet", ".odp": "application/vnd.oasis.opendocument.presentation",
	".zip": "application/zip", ".gz": "application/gzip", ".tgz": "application/gzip", ".zst": "application/zstd", ".bz2": "application/x-bzip2", ".xz": "application/x-xz", ".br": octets, ".tar": "application/x-tar", ".7z": "application/x-7z-compressed", ".rar": "application/vnd.rar",
	".wasm": "application/wasm", ".jar": "application/java-archive", ".iso": octets, ".bin": octets, ".img": octets, ".exe": octets, ".deb": "application/vnd.debian.binary-package", ".rpm": "application/x-rpm", ".apk": "application/vnd.android.package-archive",
	".eml": "message/rfc822", ".mbox": "application/mbox", ".sig": "application/pgp-signature", ".pem": "application/x-pem-file", ".crt": "application/x-x509-ca-cert", ".torrent": "application/x-bittorrent", ".m3u8": "application/vnd.apple.mpegurl", ".webmanifest": "application/manifest+json",
}

// compresses tells whether a variant of such a file could be any smaller.
func compresses(media string) bool {
	media, _, _ = strings.Cut(media, ";")
	switch {
	case strings.HasPrefix(media, "text/"), strings.HasSuffix(media, "+xml"), strings.HasSuffix(media, "+json"):
		return true
	}
	switch media {
	case "application/json", "application/xml", "application/x-ndjson", "application/wasm", "application/yaml", "application/toml", "application/sql",
		"application/postscript", "application/rtf", "application/mbox", "message/rfc822", "font/ttf", "font/otf", "image/bmp", "image/vnd.microsoft.icon":
		return true
	}
	return false
}
