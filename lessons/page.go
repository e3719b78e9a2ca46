package lessons

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"

	"storeroom/sandbox"
)

const pageFile = "page.md"

var (
	folderName = regexp.MustCompile(`^[0-9]{2}-([a-z0-9]+(?:-[a-z0-9]+)*)$`)
	cellName   = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)*\.[a-z]+$`)
	directive  = regexp.MustCompile(`^::cell\s+(\S+)\s+"([^"]+)"$`)
)

// language is what a cell's ending says.
func language(file string) (string, bool) {
	switch path.Ext(file) {
	case ".py":
		return "python", true
	}
	return "", false
}

// reader reads one lesson and collects its faults.
type reader struct {
	files  fs.FS
	folder string
	lesson *Lesson
	used   map[string]bool // files that the page placed
	links  []link
	faults []error
}

// link leads from a page to another lesson.
type link struct {
	to   string // the lesson's id
	line int
}

// readLesson reads the lesson in a folder. Its lesson is nil when the page can't be read at all.
func readLesson(files fs.FS, folder string) *reader {
	r := &reader{files: files, folder: folder, used: map[string]bool{pageFile: true}}
	page, err := fs.ReadFile(files, folder+"/"+pageFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.broken(pageFile, 0, "the lesson has no page.md")
		return r
	case err != nil:
		r.faults = append(r.faults, fmt.Errorf("read the lesson %s: %w", folder, err))
		return r
	case !utf8.Valid(page):
		r.broken(pageFile, 0, "the page is not UTF-8")
		return r
	}
	r.lesson = &Lesson{}
	prose, lines := r.frontMatter(string(page))
	r.prose([]byte(prose), lines)
	r.leftOver()
	return r
}

func (r *reader) broken(file string, line int, format string, args ...any) {
	r.faults = append(r.faults, &Broken{File: r.folder + "/" + file, Line: line, Problem: fmt.Sprintf(format, args...)})
}

// frontMatter reads the `key: value` lines between the two `---` at the top of a page. It
// answers the rest and how many lines stand before it.
func (r *reader) frontMatter(page string) (rest string, lines int) {
	head, rest, found := strings.Cut(strings.TrimPrefix(page, "---\n"), "\n---\n")
	if !strings.HasPrefix(page, "---\n") || !found {
		r.broken(pageFile, 1, "the page must start with front matter between two lines of ---")
		return page, 0
	}
	seen := map[string]int{}
	for i, text := range strings.Split(head, "\n") {
		line := i + 2
		key, value, found := strings.Cut(text, ":")
		value = strings.TrimSpace(value)
		if !found || value == "" {
			r.broken(pageFile, line, "front matter is lines of `key: value`, not %q", text)
			continue
		}
		if seen[key] > 0 {
			r.broken(pageFile, line, "%q stands here a second time", key)
		}
		seen[key] = line
		r.field(key, value, line)
	}
	for _, key := range []string{"id", "title", "section", "level"} {
		if seen[key] == 0 {
			r.broken(pageFile, 1, "the front matter lacks %q", key)
		}
	}
	r.fits(seen)
	return rest, strings.Count(head, "\n") + 3
}

func (r *reader) field(key, value string, line int) {
	switch key {
	case "id":
		r.lesson.ID = value
	case "title":
		r.lesson.Title = value
	case "section":
		r.lesson.Section = value
	case "level":
		level, err := strconv.Atoi(value)
		if err != nil {
			r.broken(pageFile, line, "the level must be 1, 2 or 3, not %q", value)
		}
		r.lesson.Level = level
	default:
		r.broken(pageFile, line, "unknown front matter %q: it may hold id, title, section and level", key)
	}
}

// fits checks the front matter against the folder's name and the document's headings.
func (r *reader) fits(line map[string]int) {
	name := folderName.FindStringSubmatch(r.folder)
	if name == nil {
		r.broken(pageFile, 0, "the folder's name must be two digits and words, such as 12-redis")
	} else if line["id"] > 0 && name[1] != r.lesson.ID {
		r.broken(pageFile, line["id"], "the id must be %q, as the folder says, not %q", name[1], r.lesson.ID)
	}
	if line["section"] == 0 {
		return
	}
	at := place(r.lesson.Section)
	if at < 0 {
		r.broken(pageFile, line["section"], "the document has no heading %q", r.lesson.Section)
		return
	}
	if want := headings()[at].level; line["level"] > 0 && r.lesson.Level != want {
		r.broken(pageFile, line["level"], "the level of this section is %d, not %d", want, r.lesson.Level)
	}
}

// prose renders the Markdown and puts the cells in their places. `before` lines of the
// file stand above it.
func (r *reader) prose(source []byte, before int) {
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table))
	document := markdown.Parser().Parse(text.NewReader(source))
	line := func(node ast.Node) int { return before + lineOf(node, source) }
	r.check(document, source, line)
	var html bytes.Buffer
	flush := func() {
		if html.Len() > 0 {
			r.lesson.Blocks = append(r.lesson.Blocks, Block{HTML: template.HTML(html.String())})
			html.Reset()
		}
	}
	for node := document.FirstChild(); node != nil; node = node.NextSibling() {
		if words, ok := directiveText(node, source); ok {
			flush()
			r.place(words, line(node))
			continue
		}
		if err := markdown.Renderer().Render(&html, source, node); err != nil {
			r.broken(pageFile, line(node), "can't be rendered: %v", err)
		}
	}
	flush()
	if len(r.lesson.Blocks) == 0 {
		r.broken(pageFile, before+1, "the page has no text")
	}
}

// directiveText answers the text of a paragraph that is a directive.
func directiveText(node ast.Node, source []byte) (string, bool) {
	if node.Kind() != ast.KindParagraph && node.Kind() != ast.KindTextBlock {
		return "", false
	}
	words := string(bytes.TrimSpace(node.Lines().Value(source)))
	return words, strings.HasPrefix(words, "::")
}

// check finds what a page may not hold.
func (r *reader) check(document ast.Node, source []byte, line func(ast.Node) int) {
	// Walk's error can only come from this function, which has none.
	_ = ast.Walk(document, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := node.(type) {
		case *ast.HTMLBlock, *ast.RawHTML:
			r.broken(pageFile, line(node), "raw HTML is not allowed: write Markdown, and code between backticks")
		case *ast.Image:
			r.broken(pageFile, line(node), "pictures can't be placed yet: say it in words")
		case *ast.Heading:
			if n.Level == 1 {
				r.broken(pageFile, line(node), "the title in the front matter is the page's only heading of the first level: use ##")
			}
		case *ast.Link:
			r.link(string(n.Destination), line(node))
		case *ast.Paragraph, *ast.TextBlock:
			words := string(node.Lines().Value(source))
			nested := node.Parent() != document
			if strings.HasPrefix(words, "::") && nested || strings.Contains(words, "\n::") {
				r.broken(pageFile, line(node), "a directive must stand alone, with an empty line before and after it")
			}
			if strings.HasPrefix(words, "::") {
				return ast.WalkSkipChildren, nil // no Markdown: a title may say <b>
			}
		}
		return ast.WalkContinue, nil
	})
}

// link checks where a link leads. Whether its lesson is there shows when all are read.
func (r *reader) link(to string, line int) {
	if id, inside := strings.CutPrefix(to, "/lesson/"); inside {
		r.links = append(r.links, link{to: id, line: line})
	} else if !strings.HasPrefix(to, "https://") {
		r.broken(pageFile, line, "a link must start with https:// or /lesson/, not %q", to)
	}
}

// lineOf is the number of the line, from 1, on which a node or the block around it begins.
func lineOf(node ast.Node, source []byte) int {
	for ; node != nil; node = node.Parent() {
		if inline, ok := node.(*ast.RawHTML); ok && inline.Segments.Len() > 0 {
			return 1 + bytes.Count(source[:inline.Segments.At(0).Start], []byte("\n"))
		}
		if node.Type() == ast.TypeBlock && node.Lines() != nil && node.Lines().Len() > 0 {
			return 1 + bytes.Count(source[:node.Lines().At(0).Start], []byte("\n"))
		}
	}
	return 1
}

// place reads a `::cell file "title"` line and appends its cell.
func (r *reader) place(words string, line int) {
	match := directive.FindStringSubmatch(words)
	if match == nil {
		r.broken(pageFile, line, "a directive is ::cell file.py \"what it does\", not %q", words)
		return
	}
	file, title := match[1], match[2]
	lang, known := language(file)
	switch {
	case !cellName.MatchString(file) || !known:
		r.broken(pageFile, line, "a cell's file is named such as set-and-get.py, not %q", file)
		return
	case r.used[file]:
		r.broken(pageFile, line, "the cell %s is placed a second time", file)
		return
	}
	r.used[file] = true
	code, ok := r.code(file, line)
	if !ok {
		return
	}
	name := strings.TrimSuffix(file, path.Ext(file))
	r.used[name+".out"] = true
	r.lesson.Blocks = append(r.lesson.Blocks, Block{Cell: &Cell{
		ID: r.lesson.ID + "/" + name, Title: title, File: r.folder + "/" + file,
		Cell: sandbox.Cell{Lang: lang, Name: file, Code: code}, Expect: r.expect(name+".out", file),
	}})
}

// code reads a cell's file.
func (r *reader) code(file string, line int) (string, bool) {
	raw, err := fs.ReadFile(r.files, r.folder+"/"+file)
	code := strings.TrimRight(string(raw), "\n")
	switch {
	case err != nil:
		r.broken(pageFile, line, "the cell's file %s is not there", file)
	case !utf8.Valid(raw) || strings.ContainsAny(code, "\r\x00"):
		r.broken(file, 1, "the cell must be UTF-8 with plain line ends")
	case code == "":
		r.broken(file, 1, "the cell is empty")
	case int64(len(code)) > sandbox.Defaults().Snippet:
		r.broken(file, 1, "the cell is longer than the %d bytes that a run may have", sandbox.Defaults().Snippet)
	default:
		return code, true
	}
	return "", false
}

// expect reads what a cell is expected to do.
func (r *reader) expect(file, cell string) Expect {
	raw, err := fs.ReadFile(r.files, r.folder+"/"+file)
	if err != nil {
		r.broken(file, 0, "the expected output of %s is not there: create it, empty if the cell prints nothing", cell)
		return Expect{}
	}
	expect, line, problem := parseExpect(string(raw))
	if problem != "" {
		r.broken(file, line, "%s", problem)
	}
	return expect
}

// leftOver finds files that no directive placed.
func (r *reader) leftOver() {
	entries, err := fs.ReadDir(r.files, r.folder)
	if err != nil {
		r.faults = append(r.faults, fmt.Errorf("read the lesson %s: %w", r.folder, err))
	}
	for _, entry := range entries {
		if !r.used[entry.Name()] {
			r.broken(entry.Name(), 0, "no ::cell line of the page places this file: place it or remove it")
		}
	}
}
