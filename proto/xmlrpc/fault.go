package xmlrpc

import (
	"errors"
	"fmt"
)

// A Fault is the answer of a server that will not or cannot do what was asked.
// It is an error: a method of ours that returns one sends it, and a client that
// receives one returns it as a *Fault, for [errors.As].
type Fault struct {
	Code   int
	String string
}

func (f *Fault) Error() string { return fmt.Sprintf("xmlrpc: fault %d: %s", f.Code, f.String) }

// The codes of the Specification for Fault Code Interoperability.
const (
	CodeParse       = -32700 // not well formed, or not XML-RPC
	CodeEncoding    = -32701 // an encoding that is not known
	CodeCharacter   = -32702 // a character that the encoding does not have
	CodeInvalid     = -32600 // XML, but no call
	CodeNoMethod    = -32601
	CodeParameters  = -32602
	CodeInternal    = -32603
	CodeApplication = -32500 // the method failed
	CodeSystem      = -32400
	CodeTransport   = -32300
)

var (
	// ErrSyntax is what is not well formed, or not XML-RPC.
	ErrSyntax = errors.New("xmlrpc: not XML-RPC")
	// ErrLimit is a message that is too large, too deep or has too many members.
	ErrLimit = errors.New("xmlrpc: message beyond a limit")
	// ErrType is a value that does not fit where it should go, or that XML-RPC
	// cannot carry.
	ErrType = errors.New("xmlrpc: value does not fit")
)

// HTTPError is an answer of the web server, not of the method.
type HTTPError struct {
	Code   int    // the status, as 404
	Status string // as "404 Not Found"
}

func (e *HTTPError) Error() string { return "xmlrpc: HTTP " + e.Status }
