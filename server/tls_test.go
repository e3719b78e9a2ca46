package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// certificate makes one for 127.0.0.1 that signs itself, and answers the names of its
// file and its key's.
func certificate(t *testing.T) (cert, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	parsed, err := x509.ParseCertificate(public)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", public), write("key.pem", "PRIVATE KEY", secret), roots
}

// openTLS is open with https, and with the browsers' trust in the certificate.
func openTLS(t *testing.T, change ...func(*Config)) *site {
	t.Helper()
	cert, key, roots := certificate(t)
	listener, err := Listen(t.Context(), "127.0.0.1:0", cert, key)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, append(change, func(c *Config) {
		c.Listener.Close()
		c.Listener, c.TLS = listener, true
	})...)
	s.trust = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	return s
}

func TestWithACertificateAllIsEncrypted(t *testing.T) {
	s := openTLS(t)
	if !strings.HasPrefix(s.URL(), "https://127.0.0.1:") {
		t.Errorf("the address is %s", s.URL())
	}
	b := s.browser()
	page := b.get("/")
	page.wants(t, 200, "<h1>The start</h1>")
	if page.TLS == nil || page.TLS.Version < tls.VersionTLS12 {
		t.Errorf("%+v", page.TLS)
	}
	c := page.Cookies()[0]
	if !c.Secure || !c.HttpOnly || c.Name != "__Host-"+seatCookie || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie %v", c)
	}
	if got := page.Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("every port of the name is bound to https: %q", got)
	}
	b.connect().run(t, "print(6*7)") // wss
	if s.host.runs != 1 {
		t.Errorf("%d runs", s.host.runs)
	}
	b.post("/seat/delete").wants(t, 200, "Everything was deleted")
	b.do("POST", "/seat/delete", "a=b", "Origin", strings.Replace(s.URL(), "https", "http", 1)).wants(t, 403, "a page of another site")
}

func TestOnlyWhoTrustsTheCertificateGetsIn(t *testing.T) {
	s := openTLS(t)
	if _, err := http.Get(s.URL()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a stranger: %v", err)
	}
	plain, err := http.Get(strings.Replace(s.URL(), "https", "http", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Body.Close()
	if plain.StatusCode != http.StatusBadRequest {
		t.Errorf("without encryption: status %d", plain.StatusCode)
	}
	old := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}}}
	if _, err := old.Get(s.URL()); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
}

func TestTheDoorOpensOverTLSAndBehindAProxy(t *testing.T) {
	word := func(c *Config) { c.Word = "heron" }
	b := openTLS(t, word).browser()
	b.get("/").wants(t, 303)
	b.post("/door", "word", "heron").wants(t, 303)
	b.get("/").wants(t, 200)
	b.connect().run(t, "print(6*7)")

	behind := open(t, word, func(c *Config) { c.Proxy = true }).browser()
	forwarded := []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "learn.example.org", "Origin", "https://learn.example.org"}
	entered := behind.do("POST", "/door", "word=heron", forwarded...)
	entered.wants(t, 303)
	pass := entered.Cookies()[0]
	if !pass.Secure || pass.Name != "__Host-"+doorCookie {
		t.Errorf("cookie %v", pass)
	}
	behind.get("/", append(forwarded, "Cookie", pass.Name+"="+pass.Value)...).wants(t, 200)
}

// proxied are the headers that a proxy adds, from anybody who likes to.
var proxied = []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "learn.example.org", "X-Forwarded-For", "192.0.2.9"}

func TestWithoutAProxyItsHeadersSayNothing(t *testing.T) {
	s := open(t)
	b := s.browser()
	page := b.get("/", proxied...)
	page.wants(t, 200)
	if c := page.Cookies()[0]; c.Secure || c.Name != seatCookie {
		t.Errorf("cookie %v", c)
	}
	b.do("POST", "/seat/take", "code=x", append(proxied, "Origin", "https://learn.example.org")...).wants(t, 403, "a page of another site")
	for range guessesAMin {
		b.do("POST", "/seat/take", "code=x", proxied...).wants(t, 403)
	}
	b.do("POST", "/seat/take", "code=x", "X-Forwarded-For", "192.0.2.10").wants(t, 429)
	if _, answer, err := b.dial(append(proxied, "Origin", "https://learn.example.org")...); err == nil || answer.StatusCode != 403 {
		t.Errorf("another site's socket: %v", err)
	}
}

func TestASocketComesThroughAProxy(t *testing.T) {
	s := open(t, func(c *Config) { c.Proxy = true })
	b := s.browser()
	c := b.get("/", proxied...).Cookies()[0]
	headers := append(proxied, "Origin", "https://learn.example.org", "Cookie", c.Name+"="+c.Value)
	b.connect(headers...).run(t, "print(6*7)")
	for _, origin := range []string{"http://learn.example.org", "https://evil.example", s.URL()} {
		if _, answer, err := b.dial(append(headers, "Origin", origin)...); err == nil || answer.StatusCode != 403 {
			t.Errorf("a socket from %s: %v", origin, err)
		}
	}
}

func TestACertificateThatCantBeUsedIsNamed(t *testing.T) {
	cert, key, _ := certificate(t)
	_, other, _ := certificate(t)
	for name, c := range map[string]struct{ cert, key, want string }{
		"absent":       {"/absent.pem", key, "--tls-cert names a file that can't be read"},
		"key absent":   {cert, "/absent.pem", "--tls-key names a file that can't be read"},
		"not its key":  {cert, other, "do not belong together"},
		"swapped":      {key, cert, "the two may be swapped"},
		"no PEM":       {os.Args[0], key, "PEM"},
		"only the key": {"", key, "give both"},
	} {
		listener, err := Listen(t.Context(), "127.0.0.1:0", c.cert, c.key)
		if err == nil {
			listener.Close()
			t.Errorf("%s: it listens", name)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %q, want %q", name, err, c.want)
		}
	}
}
