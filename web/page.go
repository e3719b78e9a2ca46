package web

import "html/template"

// Frame is what every page has around its content.
type Frame struct {
	Nonce  string       // fresh for each answer; the one given to Policy
	Title  string       // of the page, also its h1
	Seat   string       // the seat's name, "K7-Heron"; "" where no one is seated yet
	Lang   string       // of the content, "en" when empty
	Course []CourseLink // all pages in the course's order; empty hides the contents
}

// CourseLink is a page of the course.
type CourseLink struct {
	ID    string // the lesson's id
	Title string
	URL   string // "/lesson/" + ID
	Here  bool   // it is the page being shown
	Level int    // 0 for a part, 1 for a page in it, 2 for a page under that one
}

// LessonPage is one lesson: data of the template "lesson".
type LessonPage struct {
	Frame
	ID         string   // the lesson's id
	Crumb      []string // where the page stands: "Reading and writing data in Python", "4 of 4"
	Prev, Next *CourseLink
	Blocks     []Block // without the h1, which is Frame.Title
	Notice     string  // one sentence above the lesson, for example what does not run on this machine
}

// Block is a piece of a lesson: prose, or a cell that can be run.
type Block struct {
	HTML template.HTML // trusted: rendered from the lesson's own Markdown
	Cell *Cell         // instead of HTML
}

// Cell is a runnable snippet as the page shows it.
type Cell struct {
	ID    string // "lesson/name", the `cell` of the protocol's run
	Lang  string // "python"
	Name  string // the file's name, "set-and-get.py"
	Title string // what it does, "Set and get a key"
	Code  string // the original text
}

// Label is the language's name as people write it.
func (c Cell) Label() string {
	if c.Lang == "python" {
		return "Python"
	}
	return c.Lang
}

// Scratch is the empty cell at the end of every lesson.
func (LessonPage) Scratch() Cell {
	return Cell{ID: "scratch", Lang: "python", Name: "scratch.py", Title: "Try your own"}
}

// DoorPage asks for the word of a class: data of the template "door". Its form posts
// `word` and `next` to /door.
type DoorPage struct {
	Frame
	Next  string // where to go afterwards, a path of this site
	Error string // what was wrong with the last try
}

// SeatPage is /seat: data of the template "seat". Its forms post to /seat/code (no
// fields), /seat/take (`code`) and /seat/delete (no fields).
type SeatPage struct {
	Frame
	Code    string // a fresh code to enter in another browser; "" before it was asked for
	Minutes int    // how long Code is good
	Error   string // what was wrong with the code that was entered
	Notice  string // what was just done
}

// ErrorPage says what went wrong and what to do next: data of the template "error".
type ErrorPage struct {
	Frame
	Status int    // HTTP's
	Text   string // what is wrong
	Next   string // address of the button that leads on; "" for the start page
}
