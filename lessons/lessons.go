// Package lessons owns the course: its pages and their runnable cells as files below
// content/, the loader that turns them into a Course, and the verifier that runs every
// cell and compares what came out with what is expected. The server loads the course at
// its start and `storeroom verify` checks it. The package never runs a cell by itself:
// the verifier asks a Sandbox that its caller passes in. README.md tells an author how a
// lesson is written.
package lessons

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"

	"storeroom/sandbox"
)

//go:embed content
var content embed.FS

// Content is the course that is built into the program.
func Content() fs.FS {
	sub, err := fs.Sub(content, "content")
	if err != nil { // can't be: the name is a constant and valid
		return embed.FS{}
	}
	return sub
}

// Course is all lessons in the document's order. It is not changed after Load.
type Course struct {
	Lessons []*Lesson
	cells   map[string]*Cell
}

// Cell finds a cell by its id, "lesson/name".
func (c *Course) Cell(id string) (*Cell, bool) {
	cell, ok := c.cells[id]
	return cell, ok
}

// Lesson finds a lesson by its id.
func (c *Course) Lesson(id string) (*Lesson, bool) {
	for _, lesson := range c.Lessons {
		if lesson.ID == id {
			return lesson, true
		}
	}
	return nil, false
}

// Lesson is one page of the course.
type Lesson struct {
	ID      string // stable, the folder's name without its number: "redis"
	Title   string // the page's h1
	Section string // the heading of the document that the page mirrors
	Level   int    // of that heading: 1 for a part, 2 for a page in it, 3 for a page under that one
	Blocks  []Block
}

// Cells are the lesson's cells in the order in which a learner meets them.
func (l *Lesson) Cells() []*Cell {
	var cells []*Cell
	for _, block := range l.Blocks {
		if block.Cell != nil {
			cells = append(cells, block.Cell)
		}
	}
	return cells
}

// Block is a piece of a lesson: prose, or a cell.
type Block struct {
	HTML template.HTML // rendered from Markdown without raw HTML
	Cell *Cell         // instead of HTML
}

// Cell is a runnable snippet of a lesson.
type Cell struct {
	ID    string // "lesson/name", the file's name without its ending: "redis/set-and-get"
	Title string // what it does: "Set and get a key"
	File  string // where it stands, for the verifier's report: "12-redis/set-and-get.py"
	sandbox.Cell
	Expect Expect
}

// Broken is a fault in a lesson's files. Load answers one for each fault, joined.
type Broken struct {
	File    string // below the content folder
	Line    int    // 1 for the first; 0 where no line can be named
	Problem string // what is wrong and what is right
}

func (b *Broken) Error() string {
	if b.Line == 0 {
		return fmt.Sprintf("lessons/content/%s: %s", b.File, b.Problem)
	}
	return fmt.Sprintf("lessons/content/%s:%d: %s", b.File, b.Line, b.Problem)
}

// Load reads the course from the folder that holds its lessons' folders. Its error joins a
// *Broken for every fault that was found; there is no course then.
func Load(files fs.FS) (*Course, error) {
	folders, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, fmt.Errorf("read the course: %w", err)
	}
	course := &Course{cells: map[string]*Cell{}}
	var faults []error
	var readers []*reader
	for _, folder := range folders {
		if !folder.IsDir() {
			faults = append(faults, &Broken{File: folder.Name(), Problem: "a lesson is a folder such as 12-redis, not a file"})
			continue
		}
		r := readLesson(files, folder.Name())
		if r.lesson != nil {
			course.add(r)
		}
		readers = append(readers, r)
	}
	for _, r := range readers {
		course.follow(r)
		faults = append(faults, r.faults...)
	}
	if len(course.Lessons) == 0 {
		faults = append(faults, errors.New("lessons/content: there is no lesson"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return course, nil
}

// add appends a lesson and checks that it fits to those before it.
func (c *Course) add(r *reader) {
	for _, other := range c.Lessons {
		if other.ID == r.lesson.ID {
			r.broken(pageFile, 1, "the id %q is taken by another lesson", r.lesson.ID)
		}
	}
	if n := len(c.Lessons); n > 0 && place(c.Lessons[n-1].Section) > place(r.lesson.Section) {
		r.broken(pageFile, 1, "the section %q comes before %q in the document: give the folder a lower number", r.lesson.Section, c.Lessons[n-1].Section)
	}
	for _, cell := range r.lesson.Cells() {
		c.cells[cell.ID] = cell
	}
	c.Lessons = append(c.Lessons, r.lesson)
}

// follow checks that the lessons are there to which a page's links lead.
func (c *Course) follow(r *reader) {
	for _, link := range r.links {
		if _, ok := c.Lesson(link.to); !ok {
			r.broken(pageFile, link.line, "there is no lesson %q to link to", link.to)
		}
	}
}
