package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
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
	pair, err := readPair(certificate, key)
	if err != nil {
		return nil, err
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
	// HTTP/1.1 alone: a websocket needs its connection for itself.
	return tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}), nil
}

// readPair reads a certificate and its key, the empty pair where there are no names.
func readPair(certificate, key string) (tls.Certificate, error) {
	if certificate == "" {
		return tls.Certificate{}, nil
	}
	public, err := os.ReadFile(certificate)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("--tls-cert names a file that can't be read: %w", err)
	}
	secret, err := os.ReadFile(key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("--tls-key names a file that can't be read: %w", err)
	}
	pair, err := tls.X509KeyPair(public, secret)
	switch {
	case err == nil:
		return pair, nil
	case strings.Contains(err.Error(), "does not match"):
		return pair, fmt.Errorf("%s and %s do not belong together: give the key that the certificate was made for (%w)", certificate, key, err)
	case bytes.Contains(public, []byte("PRIVATE KEY")) && !bytes.Contains(public, []byte("BEGIN CERTIFICATE")):
		return pair, fmt.Errorf("--tls-cert names a key, so the two may be swapped: %w", err)
	}
	return pair, fmt.Errorf("--tls-cert and --tls-key must name a certificate and its key in the PEM format (with a chain, the server's own certificate first): %w", err)
}
