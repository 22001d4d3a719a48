// Package app is the whole program as one value: the catalogue of services,
// what of it is to run and where, and its life from the listeners to the
// drain. It is the heir of inetd, and of the last lines of every tutorial's
// server.
//
//	a, err := app.Listen(ctx, app.Config{Services: []string{"echo"}})
//	if err != nil {
//		return err
//	}
//	fmt.Println(a.Ready().Services)
//	return a.Serve(ctx) // until ctx ends
package app
