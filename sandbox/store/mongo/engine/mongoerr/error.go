// Package mongoerr is how the engine says that something failed: the server's own
// error codes and their names. Every package of the engine returns these; package
// command alone turns them into replies.
package mongoerr

import (
	"context"
	"errors"
	"fmt"

	"storeroom/sandbox/store/mongo/engine/bsonval"
)

// Error is a failure that the client sees, with the server's code.
type Error struct {
	Code    Code
	Message string
	Labels  []string    // error labels such as TransientTransactionError
	Info    bsonval.Doc // fields added to the reply or the write error: keyPattern, keyValue, errInfo
	// Where the operation writes: the fields belong into the write error, not the reply.
}

func (e *Error) Error() string { return e.Message }

// New makes an Error with a formatted message.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// With answers a copy that carries info.
func (e *Error) With(info bsonval.Doc) *Error {
	c := *e
	c.Info = info
	return &c
}

// Labelled answers a copy that carries one more label.
func (e *Error) Labelled(label string) *Error {
	c := *e
	c.Labels = append(append([]string(nil), e.Labels...), label)
	return &c
}

// Within answers a copy whose message says first what the error is part of.
func (e *Error) Within(context string) *Error {
	c := *e
	c.Message = context + " :: caused by :: " + e.Message
	return &c
}

// From is err as an Error: itself when it is one, Interrupted for a context that
// ended, InternalError for anything else.
func From(err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return New(MaxTimeMSExpired, "operation exceeded time limit")
	case errors.Is(err, context.Canceled):
		return New(Interrupted, "operation was interrupted")
	}
	return New(InternalError, "%s", err.Error())
}

// Is tells whether err carries that code.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
