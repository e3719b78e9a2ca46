package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// DefaultListen is where Storeroom is found when no flag says otherwise.
const DefaultListen = "127.0.0.1:7070"

// Listen takes an address; port 0 takes a free one. With a certificate and its key, both
// names of files, the listener encrypts. Its errors say what to do next.
func Listen(ctx context.Context, address, certificate, key string) (net.Listener, error) {
	if (certificate == "") != (key == "") {
		return nil, errors.New("--tls-cert and --tls-key belong together: give both")
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken by another program, perhaps another Storeroom: stop that one, or choose another port with --listen, for example --listen 127.0.0.1:7171", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s: choose a port above 1023 with --listen", address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, fmt.Errorf("%s is no address of this machine: choose one with --listen, for example --listen %s", address, DefaultListen)
	case err != nil:
		return nil, fmt.Errorf("listen on %q (the form is --listen ADDRESS:PORT): %w", address, err)
	}
	if certificate == "" {
		return listener, nil
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		listener.Close()
		return nil, fmt.Errorf("read --tls-cert and --tls-key: %w", err)
	}
	// HTTP/1.1 alone: a websocket needs its connection for itself.
	return tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}), nil
}
