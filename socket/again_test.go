package socket

import (
	"errors"
	"syscall"
)

// isAgain tells whether MSG_DONTWAIT found nothing to do.
func isAgain(err error) bool { return errors.Is(err, syscall.EAGAIN) }
