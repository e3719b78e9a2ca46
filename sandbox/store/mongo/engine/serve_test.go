package engine_test

import (
	"context"
	"net"
	"testing"

	"storeroom/sandbox/store/mongo/engine"
)

// The replica set's one member is where the client already is.
func TestHelloNamesTheAddressThatWasDialled(t *testing.T) {
	for _, c := range []struct{ listen, host, dial, want string }{
		{"127.0.0.1", "", "127.0.0.1", "127.0.0.1"},
		{"0.0.0.0", "", "127.0.0.2", "127.0.0.2"}, // not what is listened on
		{"127.0.0.1", "localhost", "127.0.0.1", "localhost"},
		{"::1", "", "::1", "::1"},
	} {
		t.Run(c.listen+" "+c.host, func(t *testing.T) {
			l, err := net.Listen("tcp", net.JoinHostPort(c.listen, "0"))
			if err != nil {
				if c.listen == "::1" {
					t.Skip("needs IPv6 on the loopback: ", err)
				}
				t.Fatal(err)
			}
			go engine.ListenAndServe(t.Context(), l, "", engine.Options{Host: c.host}) //nolint:errcheck // it ends with the test
			_, port, _ := net.SplitHostPort(l.Addr().String())
			conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", net.JoinHostPort(c.dial, port))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			hello, err := message(t, conn, d("hello", 1, "$db", "admin"))
			if err != nil {
				t.Fatal(err)
			}
			if want := net.JoinHostPort(c.want, port); hello["me"] != want || hello["primary"] != want {
				t.Errorf("hello tells me %v, primary %v; want %s", hello["me"], hello["primary"], want)
			}
		})
	}
}
