// Package cli is the commands of farend: the heir of python -m, of nc and of
// curl. [Main] runs one command line in process; nothing here is global, so
// that tests run many at once.
//
// What holds for every command: stdout is data, stderr is talk; an error is
// one line, "farend: what was being done: what went wrong"; the exit status
// is 0, 1 for a failure, 2 for wrong usage, 128 and the signal's number when
// a signal ended it.
package cli
