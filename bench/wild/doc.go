// Wild measures the protocols of farend beside the servers that everybody runs,
// with clients that everybody uses, all in one interleaved run, and prints a
// Markdown table. It needs Linux; a server or client that is not installed is
// left out by name.
//
//	go run ./wild                   everything
//	go run ./wild -only ftp         rows whose name contains this
//	go run ./wild -quick            small work, to see that it runs
//
// What is compared is the processor time that the server and all its children
// used, counted by a control group where one can be had (by root, mostly), else
// by proc_pid_stat(5). Rates depend on the client too, and on what else the
// machine does. Every figure is the median of the runs, in which the servers
// take turns; their files lie on the same file system.
package main
