// Package open fetches what a URL names, the heir of Python's urllib.request:
// [URL] is its urlopen, [BuildOpener] and [InstallOpener] are build_opener and
// install_opener. An opener is an ordinary *http.Client, an answer an ordinary
// *http.Response whose Body streams: what is not read is not fetched.
//
// An opener is put together from handlers: who may log in where
// ([HTTPBasicAuthHandler], [HTTPDigestAuthHandler], [HTTPBearerAuthHandler],
// and the proxies' [ProxyBasicAuthHandler], [ProxyDigestAuthHandler]), by which
// proxy ([ProxyHandler]), what certificates are good ([HTTPSHandler]), which
// redirects are followed ([HTTPRedirectHandler]), where cookies are kept
// ([HTTPCookieProcessor] and a [CookieJar]), what is unpacked
// ([DecodeHandler]), what is tried again ([RetryHandler]).
//
// A credential leaves for the origin, the path and the realm under which it
// was stored, when it is asked for, and for no other (RFC 7617 section 2.2).
//
// A URL scheme is a value, a [Scheme]: its name, and the http.RoundTripper that
// speaks it: [File] and [Data] here, [FTP], [Gopher], [NNTP], [POP], [IMAP],
// [SMTP] and [Telnet] by the packages of those protocols, any other by the
// RoundTripper that you give it.
package open
