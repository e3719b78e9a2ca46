package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"github.com/labstack/echo/v4"

	"storeroom/server/seat"
	"storeroom/server/session"
	"storeroom/web"
)

const seatCookie = "storeroom_seat"

// cookie is a cookie as all of ours are.
func (s *Server) cookie(r *http.Request, name, value string) *http.Cookie {
	return &http.Cookie{Name: s.cookieName(r, name), Value: value, Path: "/", MaxAge: int(seatLife / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure(r)}
}

// cookieName adds the prefix that keeps neighbouring sites from setting our cookies, which
// browsers know on encrypted connections only.
func (s *Server) cookieName(r *http.Request, name string) string {
	if s.secure(r) {
		return "__Host-" + name
	}
	return name
}

// known answers the seat of the request's cookie.
func (s *Server) known(r *http.Request) (seat.Seat, bool) {
	cookie, err := r.Cookie(s.cookieName(r, seatCookie))
	if err != nil {
		return seat.Seat{}, false
	}
	return seat.FromToken(cookie.Value)
}

// seatOf answers the visitor's seat, a new one if there is none. A new seat costs nothing
// until its page opens a socket.
func (s *Server) seatOf(r *http.Request) seat.Seat {
	if sits, ok := s.known(r); ok {
		return sits
	}
	return seat.New()
}

// giveSeat gives the browser a seat's cookie, or renews it.
func (s *Server) giveSeat(c echo.Context, sits seat.Seat) {
	c.SetCookie(s.cookie(c.Request(), seatCookie, sits.Token))
}

// socket takes a page's websocket and serves it until it ends.
func (s *Server) socket(c echo.Context) error {
	r := c.Request()
	socket, err := websocket.Accept(c.Response(), r, &websocket.AcceptOptions{
		Subprotocols: []string{session.Subprotocol}, OriginPatterns: []string{r.Host},
	})
	if err != nil { // Accept has answered
		s.Log.Debug("no websocket", "error", err)
		return nil
	}
	sits, ok := s.known(r)
	switch {
	case socket.Subprotocol() != session.Subprotocol:
		socket.Close(websocket.StatusPolicyViolation, "the subprotocol is "+session.Subprotocol)
	case !s.admits(r):
		s.sessions.Refuse(r.Context(), socket, session.CloseReload, "the word at the door has changed: reload the page")
	case !ok:
		s.sessions.Refuse(r.Context(), socket, session.CloseReload, "your browser did not keep the seat's cookie: allow cookies for this page and reload it")
	case !s.seats.Known(sits.ID) && !s.newSeats.Take(address(r), s.Now()):
		s.sessions.Refuse(r.Context(), socket, session.CloseLater, "many new learners arrive from your network just now: this page tries again by itself in half a minute")
	default:
		if err := s.seats.Sit(sits.ID); err != nil {
			s.Log.Error("could not remember a seat", "error", err)
			s.sessions.Refuse(r.Context(), socket, session.CloseLater, "your seat could not be kept: tell whoever runs Storeroom to look at its log")
			break
		}
		s.sessions.Serve(r.Context(), sits.ID, sits.Name, socket)
	}
	return nil
}

func (s *Server) seatPage(c echo.Context) error { return s.showSeat(c, http.StatusOK, web.SeatPage{}) }

func (s *Server) showSeat(c echo.Context, status int, page web.SeatPage) error {
	page.Frame = s.frame(c, "Your seat", "", s.seatOf(c.Request()))
	return render(c, status, "seat", page)
}

// makeCode shows a code that takes this seat to another browser.
func (s *Server) makeCode(c echo.Context) error {
	sits, ok := s.known(c.Request())
	if !ok {
		return c.Redirect(http.StatusSeeOther, "/seat")
	}
	code := s.codes.New(sits)
	if code == "" {
		return s.showSeat(c, http.StatusTooManyRequests, web.SeatPage{Notice: "Too many codes are in use just now. Try again in a few minutes."})
	}
	return s.showSeat(c, http.StatusOK, web.SeatPage{Code: code, Minutes: int(seat.CodeLife / time.Minute)})
}

// takeCode gives this browser the seat of a code.
func (s *Server) takeCode(c echo.Context) error {
	if !s.guesses.Take(address(c.Request()), s.Now()) {
		return s.showSeat(c, http.StatusTooManyRequests, web.SeatPage{Error: "Too many tries from here. Wait a minute and try again."})
	}
	sits, ok := s.codes.Take(c.FormValue("code"))
	if !ok {
		return s.showSeat(c, http.StatusForbidden, web.SeatPage{Error: "That code is not good (any more). Make a new one in the other browser; it is good for ten minutes and once."})
	}
	s.giveSeat(c, sits)
	return c.Redirect(http.StatusSeeOther, "/")
}

// deleteSeat removes everything of the seat and gives the browser a new one.
func (s *Server) deleteSeat(c echo.Context) error {
	sits, ok := s.known(c.Request())
	if !ok {
		return c.Redirect(http.StatusSeeOther, "/seat")
	}
	s.sessions.Forget(sits.ID)
	sandbox := s.seats.Sandbox(sits.ID)
	var removed error
	if sandbox != "" && s.Host.Exists(sandbox) {
		// Also when the browser does not wait for it: half deleted is not deleted.
		removed = s.Host.Delete(context.WithoutCancel(c.Request().Context()), sandbox)
	}
	if err := errors.Join(removed, s.seats.Remove(sits.ID)); err != nil {
		return err
	}
	s.Log.Info("deleted a seat and its data", "sandbox", sandbox)
	page := web.SeatPage{Frame: s.frame(c, "Your seat", "", seat.New()), Notice: "Everything was deleted. This is a new, empty seat."}
	return render(c, http.StatusOK, "seat", page)
}
