package server

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"storeroom/lessons"
	"storeroom/server/seat"
	"storeroom/web"
)

// render sends a page. Nothing is sent when the page can't be made.
func render(c echo.Context, status int, name string, page any) error {
	var html bytes.Buffer
	if err := web.Render(&html, name, page); err != nil {
		return fmt.Errorf("render a page: %w", err)
	}
	return c.HTMLBlob(status, html.Bytes())
}

func nonce(c echo.Context) string {
	nonce, _ := c.Get(nonceKey).(string)
	return nonce
}

func escapeQuery(text string) string { return url.QueryEscape(text) }

// frame is what a page with the course around it needs, for the learner of a seat.
func (s *Server) frame(c echo.Context, title, here string, sits seat.Seat) web.Frame {
	s.giveSeat(c, sits)
	return web.Frame{Nonce: nonce(c), Title: title, Seat: sits.Name, Course: s.contents(here)}
}

// contents are all pages of the course.
func (s *Server) contents(here string) (links []web.CourseLink) {
	for _, lesson := range s.Course.Lessons {
		links = append(links, *linkTo(lesson, here))
	}
	return links
}

func linkTo(lesson *lessons.Lesson, here string) *web.CourseLink {
	return &web.CourseLink{ID: lesson.ID, Title: lesson.Title, URL: "/lesson/" + lesson.ID, Here: lesson.ID == here, Level: lesson.Level - 1}
}

func (s *Server) firstPage(c echo.Context) error { return s.showLesson(c, 0) }

func (s *Server) lessonPage(c echo.Context) error {
	for i, lesson := range s.Course.Lessons {
		if lesson.ID == c.Param("id") {
			return s.showLesson(c, i)
		}
	}
	return echo.NewHTTPError(http.StatusNotFound, "There is no such lesson. Choose one from the contents.")
}

func (s *Server) showLesson(c echo.Context, i int) error {
	all := s.Course.Lessons
	lesson := all[i]
	page := web.LessonPage{Frame: s.frame(c, lesson.Title, lesson.ID, s.seatOf(c.Request())), ID: lesson.ID, Crumb: crumb(all, i)}
	if i > 0 {
		page.Prev = linkTo(all[i-1], "")
	}
	if i+1 < len(all) {
		page.Next = linkTo(all[i+1], "")
	}
	if !web.Built() {
		page.Notice = "This Storeroom was built without its front end, so nothing runs here: build it with make build."
	}
	for _, block := range lesson.Blocks {
		page.Blocks = append(page.Blocks, pageBlock(block))
	}
	return render(c, http.StatusOK, "lesson", page)
}

func pageBlock(block lessons.Block) web.Block {
	if block.Cell == nil {
		return web.Block{HTML: block.HTML}
	}
	cell := block.Cell
	return web.Block{Cell: &web.Cell{ID: cell.ID, Lang: cell.Lang, Name: cell.Name, Title: cell.Title, Code: cell.Code}}
}

// crumb tells where a lesson stands: the lesson above it, and its place among those below.
func crumb(all []*lessons.Lesson, here int) []string {
	level, parent := all[here].Level, -1
	for i := here - 1; i >= 0 && parent < 0; i-- {
		if all[i].Level < level {
			parent = i
		}
	}
	if parent < 0 {
		return nil
	}
	place, count := 0, 0
	for i := parent + 1; i < len(all) && all[i].Level > all[parent].Level; i++ {
		if all[i].Level == level {
			count++
		}
		if i == here {
			place = count
		}
	}
	return []string{all[parent].Title, fmt.Sprintf("%d of %d", place, count)}
}

// fail is where every error becomes what a person sees. What is not meant for people
// goes to the log.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status, text := http.StatusInternalServerError, "Something went wrong inside Storeroom; that is not your mistake. Try again; if it stays, tell whoever runs Storeroom to look at its log."
	var known *echo.HTTPError
	if errors.As(err, &known) {
		status = known.Code
		text = plainText(known)
	}
	if status >= 500 {
		s.Log.Error("could not answer a request", "method", c.Request().Method, "path", c.Path(), "error", err)
	}
	page := web.ErrorPage{Frame: web.Frame{Nonce: nonce(c), Title: http.StatusText(status)}, Status: status, Text: text}
	if s.admits(c.Request()) {
		page.Course = s.contents("")
	}
	if err := render(c, status, "error", page); err != nil {
		s.Log.Error("could not show an error", "error", err)
	}
}

// plainText is what an HTTP error says: our own sentence, or one for those of echo.
func plainText(err *echo.HTTPError) string {
	switch err.Code {
	case http.StatusNotFound:
		if err == echo.ErrNotFound {
			return "There is no such page. Go on to the course."
		}
	case http.StatusMethodNotAllowed:
		return "This address can't be used like that. Go on to the course."
	case http.StatusRequestEntityTooLarge:
		return "That was too much at once. Send less."
	}
	return fmt.Sprint(err.Message)
}
