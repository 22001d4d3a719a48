package socket

import "strconv"

// EAI is an error of the look-up of names and addresses: getaddrinfo(3),
// RFC 3493 section 6.1. The functions of this package wrap it, so test with
// errors.Is(err, EAI_NONAME). The numbers are those of Linux on every system
// (no kernel ever sees them), the texts those that Python's gaierror shows.
type EAI int

const (
	EAI_BADFLAGS   EAI = -1  // a flag that does not exist, or does not go with the rest
	EAI_NONAME     EAI = -2  // no such host, or neither host nor service given
	EAI_AGAIN      EAI = -3  // no name server answered, or it failed; try again later
	EAI_FAIL       EAI = -4  // the name server's answer made no sense
	EAI_NODATA     EAI = -5  // the name exists but has no address of the family
	EAI_FAMILY     EAI = -6  // a family that has no host addresses
	EAI_SOCKTYPE   EAI = -7  // no such type, or it does not go with the protocol
	EAI_SERVICE    EAI = -8  // no such service for the type
	EAI_ADDRFAMILY EAI = -9  // the address is of another family
	EAI_MEMORY     EAI = -10 // not used here
	EAI_SYSTEM     EAI = -11 // the system's own error is wrapped beside it
	EAI_OVERFLOW   EAI = -12 // not used here
)

// Error is the text that the C library has for the error.
func (e EAI) Error() string {
	switch e {
	case EAI_BADFLAGS:
		return "Bad value for ai_flags"
	case EAI_NONAME:
		return "Name or service not known"
	case EAI_AGAIN:
		return "Temporary failure in name resolution"
	case EAI_FAIL:
		return "Non-recoverable failure in name resolution"
	case EAI_NODATA:
		return "No address associated with hostname"
	case EAI_FAMILY:
		return "ai_family not supported"
	case EAI_SOCKTYPE:
		return "ai_socktype not supported"
	case EAI_SERVICE:
		return "Servname not supported for ai_socktype"
	case EAI_ADDRFAMILY:
		return "Address family for hostname not supported"
	case EAI_MEMORY:
		return "Memory allocation failure"
	case EAI_SYSTEM:
		return "System error"
	case EAI_OVERFLOW:
		return "Result too large for supplied buffer"
	}
	return "getaddrinfo error " + strconv.Itoa(int(e))
}

// Temporary tells that the same question may have an answer later.
func (e EAI) Temporary() bool { return e == EAI_AGAIN }
