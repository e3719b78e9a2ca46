package server

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"storeroom/web"
)

// bodyLimit is what a form may send; websocket frames have bounds of their own.
const bodyLimit = "16K"

// guard puts before every route what all of them need.
func (s *Server) guard(e *echo.Echo) {
	e.Pre(s.forwarded)
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
		s.Log.Error("panic in a request", "path", c.Path(), "error", err, "stack", string(stack))
		return err
	}}))
	e.Use(s.note, s.headers, s.ownHost, s.sameOrigin, middleware.BodyLimit(bodyLimit), s.askWord)
	e.Use(middleware.GzipWithConfig(middleware.GzipConfig{Skipper: func(c echo.Context) bool {
		return c.Path() == "/ws" || strings.HasPrefix(c.Path(), web.AssetPath)
	}}))
}

// note logs a request for who wants to see them all: the route and not what was sent.
func (s *Server) note(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := s.Now()
		err := next(c)
		s.Log.Debug("request", "method", c.Request().Method, "route", c.Path(), "status", c.Response().Status, "took", s.Now().Sub(began))
		return err
	}
}

// forwarded makes a request that came through the proxy look as it did to the proxy. Only
// the last address of X-Forwarded-For is the proxy's own word; the others are hearsay.
func (s *Server) forwarded(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if s.Proxy {
			hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
			if last, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1])); err == nil {
				r.RemoteAddr = net.JoinHostPort(last.String(), "0")
			}
			if host := r.Header.Get("X-Forwarded-Host"); host != "" {
				r.Host = host
			}
		}
		return next(c)
	}
}

// secure tells whether the browser's connection is encrypted.
func (s *Server) secure(r *http.Request) bool {
	return r.TLS != nil || s.Proxy && r.Header.Get("X-Forwarded-Proto") == "https"
}

// origin is the origin of our own pages, as this request sees it.
func (s *Server) origin(r *http.Request) string {
	if s.secure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// address is the learner's network address, for counting. An IPv6 network counts as one,
// since a single machine has all of it.
func address(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip := at.Addr().Unmap()
	if ip.Is6() {
		if network, err := ip.WithZone("").Prefix(64); err == nil {
			return network.String()
		}
	}
	return ip.String()
}

// nonceKey is where a response's nonce stands in echo's context.
const nonceKey = "nonce"

// headers sets what every response carries, and the nonce of this one. There is no
// Strict-Transport-Security: it would bind all ports of a name that need not be ours alone
// (localhost, a school's server), long after the certificate is gone; a proxy that serves
// a name for good may add it.
func (s *Server) headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		random := make([]byte, 16)
		rand.Read(random)
		nonce := base64.RawURLEncoding.EncodeToString(random)
		c.Set(nonceKey, nonce)
		h := c.Response().Header()
		h.Set("Content-Security-Policy", web.Policy(nonce))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		// same-origin and not no-referrer: with that, browsers send forms with Origin: null.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		h.Set("Cache-Control", "private, no-cache")
		return next(c)
	}
}

// ownHost refuses requests for other names while we listen on loopback alone. Otherwise a
// page anywhere could give its own name our address (DNS rebinding) and count as ours.
func (s *Server) ownHost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.Proxy || !s.onLoopback() {
			return next(c)
		}
		name := c.Request().Host
		if host, _, err := net.SplitHostPort(name); err == nil {
			name = host
		}
		name = strings.Trim(name, "[]")
		if ip := net.ParseIP(name); name == "localhost" || ip != nil && ip.IsLoopback() {
			return next(c)
		}
		return echo.NewHTTPError(http.StatusMisdirectedRequest, fmt.Sprintf("This Storeroom answers as localhost only. Open %s, or start it with --proxy if a proxy stands before it.", s.URL()))
	}
}

func (s *Server) onLoopback() bool {
	at, ok := s.Listener.Addr().(*net.TCPAddr)
	return ok && at.IP.IsLoopback()
}

// sameOrigin refuses what another site's page sends: forms and sockets. Programs that are
// no browsers say nothing about their origin and are let through; they hold no one's cookie.
func (s *Server) sameOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		reading := r.Method == http.MethodGet || r.Method == http.MethodHead
		if reading && c.Path() != "/ws" {
			return next(c)
		}
		site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
		own := slices.Contains([]string{"", "same-origin", "none"}, site) && (origin == "" || origin == s.origin(r))
		if !own {
			return echo.NewHTTPError(http.StatusForbidden, "That came from a page of another site. Open Storeroom itself and do it there.")
		}
		return next(c)
	}
}
