// Package ftp is the File Transfer Protocol, both ends, in clear and over TLS:
// the heir of Python's ftplib.
//
// A client, whose data connections resume the TLS session of their control
// connection by themselves:
//
//	c, err := ftp.Dial(ctx, "starttls:ftp.example.com:21", ftp.Options{})
//	err = c.Login(ctx, "anonymous", "guest", "")
//	body, err := c.Retrieve(ctx, "pub/file", ftp.RetrieveOptions{})
//	_, err = io.Copy(w, body) // nil only if the server says that all is well
//	err = c.Quit(ctx)
//
// A server of any fs.FS, or of what can be written to as well (package
// keep/files has that for trees of files):
//
//	h := &ftp.Handler{Backend: ftp.Anonymous(ftp.ReadOnly(os.DirFS("pub")))}
//	srv := &server.Server{Handler: h}
//	err := srv.ListenAndServe(ctx, "localhost:2121")
//
// It speaks RFC 959 in stream mode, with RFC 1123 section 4.1, 2228 and 4217
// (TLS), 2389 (FEAT), 2428 (EPRT, EPSV), 2577 (no bounce, no theft of ports),
// 2640 (UTF-8, LANG), 3659 (SIZE, MDTM, MLST, MLSD, REST), 7151 (HOST), and the
// drafts for HASH and MFMT. Pool serves several goroutines and is an fs.FS;
// Transport opens ftp: and ftps: URLs for an http.Client. Package ftptest is a
// server for tests.
package ftp
