package server

import (
	"net"
	"slices"
	"testing"
)

func TestLinksAreWhatOthersInTheNetworkCanOpen(t *testing.T) {
	var machine []net.Addr
	for _, text := range []string{"127.0.0.1/8", "::1/128", "192.168.1.20/24", "169.254.3.4/16", "fe80::1/64", "2001:db8::5/64", "10.0.0.7/8"} {
		ip, network, err := net.ParseCIDR(text)
		if err != nil {
			t.Fatal(err)
		}
		machine = append(machine, &net.IPNet{IP: ip, Mask: network.Mask})
	}
	want := []string{"https://192.168.1.20:7070", "https://10.0.0.7:7070"}
	if got := links("https", 7070, machine); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, c := range []Config{{Listener: fixed{net.IPv4(127, 0, 0, 1)}}, {Listener: fixed{net.IPv4(192, 168, 1, 20)}}, {Listener: fixed{net.IPv4zero}, Proxy: true}} {
		if got := (&Server{Config: c}).Links(); len(got) > 0 {
			t.Errorf("%v: %q", c.Listener.Addr(), got)
		}
	}
}

// fixed is a listener that only has an address.
type fixed struct{ ip net.IP }

func (f fixed) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (f fixed) Close() error              { return nil }
func (f fixed) Addr() net.Addr            { return &net.TCPAddr{IP: f.ip, Port: 7070} }
