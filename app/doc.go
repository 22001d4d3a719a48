// Package app is the whole program as one value: the catalogue of services,
// what of it is to run and where, and its life from the listeners to the
// drain. It is the heir of inetd and of the last lines of every tutorial's
// server.
package app
