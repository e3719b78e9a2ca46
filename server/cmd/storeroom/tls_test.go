package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// certificate writes one for 127.0.0.1 that signs itself, and its key, and answers how to
// trust it.
func certificate(t *testing.T, dir string) (args []string, trust http.RoundTripper) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return []string{
		"--tls-cert", write(t, dir, "cert.pem", string(text)),
		"--tls-key", write(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))),
	}, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
}

func TestAClassWithACertificateAndAWord(t *testing.T) {
	needsParts(t)
	dir := folder(t)
	args, trust := certificate(t, dir)
	s := start(t, dir, append(args, "--code", "heron")...)
	s.trust = trust
	if !strings.HasPrefix(s.url, "https://127.0.0.1:") {
		t.Fatalf("it prints %s", s.url)
	}
	cookies := jar(t)
	visitor := &http.Client{Jar: cookies, Transport: trust}
	for _, door := range []struct{ word, want string }{{"stork", "That is not the word"}, {"heron", `data-cell="redis/set-and-get"`}} {
		answer, err := visitor.PostForm(s.url+"/door", url.Values{"word": {door.word}, "next": {"/lesson/redis"}})
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || !strings.Contains(string(text), door.want) {
			t.Errorf("after %q the page lacks %q", door.word, door.want)
		}
	}
	at, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range cookies.Cookies(at) {
		if !strings.HasPrefix(cookie.Name, "__Host-") {
			t.Errorf("the cookie %s may be set by neighbours", cookie.Name)
		}
	}
	s.learner(cookies).wants(setRedis, "b'bar'\n")
	if log := s.log.String(); strings.Contains(log, "heron") {
		t.Errorf("the word is in the log:\n%s", log)
	}
}
