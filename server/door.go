package server

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/labstack/echo/v4"

	"storeroom/server/rate"
	"storeroom/web"
)

// door asks visitors for a word. Who has said it keeps a cookie that proves it; a new
// word makes the old cookies void.
type door struct {
	word    string // "" for an open door
	pass    string // what the cookie holds: the word under our key, so that it can't be guessed elsewhere
	guesses *rate.Limiter
}

const doorCookie = "storeroom_door"

// openDoor reads the key that signs the cookies, or makes it.
func openDoor(c Config) (*door, error) {
	d := &door{word: c.Word, guesses: rate.NewLimiter(guessesAMin)}
	if c.Word == "" {
		return d, nil
	}
	key, err := doorKey(filepath.Join(c.Data, "door.key"))
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(c.Word))
	d.pass = base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	return d, nil
}

// doorKey answers the key in a file, made at the first use, so that a class need not say
// the word again after a restart.
func doorKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err == nil && len(key) == sha256.Size {
		return key, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the door's key: %w", err)
	}
	key = make([]byte, sha256.Size)
	rand.Read(key)
	if err := os.WriteFile(path, key, 0o600); err != nil {
		return nil, fmt.Errorf("write the door's key: %w", err)
	}
	return key, nil
}

// admits tells whether a visitor has said the word.
func (s *Server) admits(r *http.Request) bool {
	if s.door.word == "" {
		return true
	}
	cookie, err := r.Cookie(s.cookieName(r, doorCookie))
	return err == nil && subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(s.door.pass)) == 1
}

// is compares a word in a time that does not depend on how much of it is right.
func (d *door) is(word string) bool {
	said, want := sha256.Sum256([]byte(strings.TrimSpace(word))), sha256.Sum256([]byte(d.word))
	return subtle.ConstantTimeCompare(said[:], want[:]) == 1
}

// askWord sends visitors to the door who have not said the word. The health check and the
// styles of the door's own page need none, and the socket tells of it in its own way.
func (s *Server) askWord(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		path := c.Path()
		open := path == "/door" || path == "/healthz" || path == "/ws" || strings.HasPrefix(path, web.AssetPath)
		if open || s.admits(c.Request()) {
			return next(c)
		}
		return c.Redirect(http.StatusSeeOther, "/door?next="+escapeQuery(c.Request().URL.Path))
	}
}

func (s *Server) doorPage(c echo.Context) error {
	next := ownPath(c.QueryParam("next"))
	if s.admits(c.Request()) {
		return c.Redirect(http.StatusSeeOther, next)
	}
	return s.showDoor(c, http.StatusOK, next, "")
}

func (s *Server) showDoor(c echo.Context, status int, next, wrong string) error {
	return render(c, status, "door", web.DoorPage{Frame: web.Frame{Nonce: nonce(c), Title: "Welcome"}, Next: next, Error: wrong})
}

// enter hears the word.
func (s *Server) enter(c echo.Context) error {
	next := ownPath(c.FormValue("next"))
	from := address(c.Request())
	if !s.door.guesses.Take(from, s.Now()) {
		return s.showDoor(c, http.StatusTooManyRequests, next, "Too many tries from here. Wait a minute and try again.")
	}
	if !s.door.is(c.FormValue("word")) {
		return s.showDoor(c, http.StatusForbidden, next, "That is not the word. Ask whoever invited you and try again.")
	}
	s.door.guesses.Give(from) // a whole class comes from one address
	c.SetCookie(s.cookie(c.Request(), doorCookie, s.door.pass))
	return c.Redirect(http.StatusSeeOther, next)
}

// ownPath is a path of this site, "/" for anything else.
func ownPath(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}
