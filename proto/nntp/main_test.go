package nntp_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/farend-go/farend/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engines are those that a server runs on.
var engines = map[string]func() server.Engine{"goroutines": server.Goroutines, "events": server.Events}
