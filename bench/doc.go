// Bench measures the servers of farend beside others, all in one interleaved
// run, and prints a Markdown table. It needs Linux.
//
//	go run .                              everything, about 10 minutes
//	go run . -quick                       the most telling rows, under a minute
//	go run . -plot out.svg -from 10 -to 10000   how cost grows with connections
//
// What is compared is the processor time that the server used per request, by
// its process clock: it hardly depends on what else the machine does, while
// requests per second do, and are bounded by the generator, which has one core
// as the server has. Every figure is the median of the runs. The kernel's work
// for a send on loopback is done by the sender and is part of its time.
//
// farend is the binary as it ships. The others: net is a goroutine for each
// connection in a dozen lines on Go's package net, gnet is an event loop
// framework (github.com/panjf2000/gnet); for files over HTTP they are the
// FileServer of Go's net/http, and nginx where it is installed, as it comes and
// with files that stay open, as they do in farend, which keeps small ones in
// memory. A line's turn is one command and one reply, by a session of package
// server.
package main
