package lessons

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"storeroom/sandbox"
)

// small is a course of one lesson that is well. Tests break one thing in it.
func small() map[string]string {
	return map[string]string{
		"12-redis/page.md": `---
id: redis
title: Interacting with Redis
section: Interacting with Redis
level: 3
---
Some *prose*.

::cell set-and-get.py "Set and get a key"

After it.
`,
		"12-redis/set-and-get.py":  "print(1)\n",
		"12-redis/set-and-get.out": "1\n",
	}
}

func tree(files map[string]string) fs.FS {
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return tree
}

func TestLoadPutsProseAndCellsInTheirOrder(t *testing.T) {
	course, err := Load(tree(small()))
	if err != nil {
		t.Fatal(err)
	}
	want := &Lesson{ID: "redis", Title: "Interacting with Redis", Section: "Interacting with Redis", Level: 3, Blocks: []Block{
		{HTML: "<p>Some <em>prose</em>.</p>\n"},
		{Cell: &Cell{ID: "redis/set-and-get", Title: "Set and get a key", File: "12-redis/set-and-get.py",
			Cell:   sandbox.Cell{Lang: "python", Name: "set-and-get.py", Code: "print(1)"},
			Expect: Expect{Lines: []string{"1"}, Reason: sandbox.OK}}},
		{HTML: "<p>After it.</p>\n"},
	}}
	if diff := cmp.Diff(want, course.Lessons[0]); diff != "" {
		t.Error(diff)
	}
	if cell, ok := course.Cell("redis/set-and-get"); !ok || cell != course.Lessons[0].Cells()[0] {
		t.Error("the cell is not found by its id")
	}
	if _, ok := course.Cell("redis/other"); ok {
		t.Error("a cell is found that is not there")
	}
}

func TestTheCourseThatIsBuiltInLoads(t *testing.T) {
	course, err := Load(Content())
	if err != nil {
		t.Fatal(err)
	}
	for _, lesson := range course.Lessons {
		if len(lesson.Blocks) == 0 {
			t.Errorf("the lesson %s is empty", lesson.ID)
		}
	}
}

var tag = regexp.MustCompile(`<[^>]*>`)

func TestTheCourseMirrorsTheDocumentInShortPages(t *testing.T) {
	course, err := Load(Content())
	if err != nil {
		t.Fatal(err)
	}
	var found []heading
	for _, lesson := range course.Lessons {
		found = append(found, heading{lesson.Level, lesson.Section})
		words := 0
		for _, block := range lesson.Blocks {
			words += len(strings.Fields(tag.ReplaceAllString(string(block.HTML), " ")))
		}
		if words < 150 || words > 350 {
			t.Errorf("%s has %d words", lesson.ID, words)
		}
		if n := len(lesson.Cells()); n < 2 {
			t.Errorf("%s has %d cells", lesson.ID, n)
		}
	}
	if diff := cmp.Diff(headings(), found, cmp.AllowUnexported(heading{})); diff != "" {
		t.Error(diff)
	}
}

// widest is how many characters of a line are seen beside the storeroom at 1024 pixels.
const widest = 72

func TestCodeIsSeenWithoutScrollingSideways(t *testing.T) {
	course, err := Load(Content())
	if err != nil {
		t.Fatal(err)
	}
	for _, lesson := range course.Lessons {
		for _, cell := range lesson.Cells() {
			for i, line := range strings.Split(cell.Code, "\n") {
				if n := utf8.RuneCountInString(line); n > widest {
					t.Errorf("lessons/content/%s:%d has %d characters: break the line before %d", cell.File, i+1, n, widest)
				}
			}
		}
	}
}

func TestABrokenLessonIsNamedWithFileAndLine(t *testing.T) {
	page := small()["12-redis/page.md"]
	edit := func(old, new string) func(map[string]string) {
		return func(files map[string]string) {
			if !strings.Contains(page, old) {
				t.Fatalf("the page has no %q to change", old)
			}
			files["12-redis/page.md"] = strings.Replace(page, old, new, 1)
		}
	}
	set := func(file, text string) func(map[string]string) {
		return func(files map[string]string) { files[file] = text }
	}
	remove := func(file string) func(map[string]string) {
		return func(files map[string]string) { delete(files, file) }
	}
	cases := map[string]struct {
		change func(map[string]string)
		want   string
	}{
		"no page":                {remove("12-redis/page.md"), "12-redis/page.md: the lesson has no page.md"},
		"a page not in UTF-8":    {set("12-redis/page.md", "\xff"), "12-redis/page.md: the page is not UTF-8"},
		"no front matter":        {set("12-redis/page.md", "Hello\n"), "12-redis/page.md:1: the page must start with front matter"},
		"front matter left open": {edit("level: 3\n---\n", "level: 3\n"), "12-redis/page.md:1: the page must start with front matter"},
		"a field missing":        {edit("title: Interacting with Redis\n", ""), `12-redis/page.md:1: the front matter lacks "title"`},
		"a field twice":          {edit("level: 3", "id: redis\nlevel: 3"), `12-redis/page.md:5: "id" stands here a second time`},
		"a field empty":          {edit("title: Interacting with Redis", "title:"), "12-redis/page.md:3: front matter is lines"},
		"a field unknown":        {edit("level: 3", "level: 3\nauthor: me"), `12-redis/page.md:6: unknown front matter "author"`},
		"a level not a number":   {edit("level: 3", "level: three"), `12-redis/page.md:5: the level must be 1, 2 or 3, not "three"`},
		"a level that differs":   {edit("level: 3", "level: 2"), "12-redis/page.md:5: the level of this section is 3, not 2"},
		"a section unknown":      {edit("section: Interacting with Redis", "section: Interacting with Oracle"), `12-redis/page.md:4: the document has no heading "Interacting with Oracle"`},
		"an id that differs":     {edit("id: redis", "id: valkey"), `12-redis/page.md:2: the id must be "redis"`},
		"no text":                {edit("Some *prose*.\n\n::cell set-and-get.py \"Set and get a key\"\n\nAfter it.\n", ""), "12-redis/page.md:7: the page has no text"},
		"raw HTML":               {edit("After it.", "After <b>it</b>."), "12-redis/page.md:11: raw HTML is not allowed"},
		"raw HTML as a block":    {edit("After it.", "<div>it</div>"), "12-redis/page.md:11: raw HTML is not allowed"},
		"a picture":              {edit("After it.", "![it](https://example.org/it.png)"), "12-redis/page.md:11: pictures can't be placed"},
		"a second title":         {edit("After it.", "# After it"), "12-redis/page.md:11: the title in the front matter"},
		"a link that is code":    {edit("After it.", "[it](javascript:alert)"), "12-redis/page.md:11: a link must start with"},
		"a link nowhere":         {edit("After it.", "See [it](/lesson/oracle)."), `12-redis/page.md:11: there is no lesson "oracle"`},
		"a directive unknown":    {edit(`::cell set-and-get.py "Set and get a key"`, "::quiz"), "12-redis/page.md:9: a directive is ::cell"},
		"a cell without a title": {edit(`::cell set-and-get.py "Set and get a key"`, "::cell set-and-get.py"), "12-redis/page.md:9: a directive is ::cell"},
		"a directive in a text":  {edit("After it.", "After it.\n::cell set-and-get.py \"x\""), "12-redis/page.md:11: a directive must stand alone"},
		"a directive in a list":  {edit("After it.", "- ::cell set-and-get.py \"x\""), "12-redis/page.md:11: a directive must stand alone"},
		"a cell placed twice":    {edit("After it.", `::cell set-and-get.py "again"`), "12-redis/page.md:11: the cell set-and-get.py is placed a second time"},
		"a cell's bad name":      {edit("set-and-get.py", "../secret.py"), "12-redis/page.md:9: a cell's file is named such as"},
		"a cell's language":      {edit("set-and-get.py", "set-and-get.rb"), "12-redis/page.md:9: a cell's file is named such as"},
		"a cell not there":       {remove("12-redis/set-and-get.py"), "12-redis/page.md:9: the cell's file set-and-get.py is not there"},
		"a cell empty":           {set("12-redis/set-and-get.py", "\n"), "12-redis/set-and-get.py:1: the cell is empty"},
		"a cell not in UTF-8":    {set("12-redis/set-and-get.py", "print('\xff')"), "12-redis/set-and-get.py:1: the cell must be UTF-8"},
		"a cell too long":        {set("12-redis/set-and-get.py", strings.Repeat("#", 65537)), "12-redis/set-and-get.py:1: the cell is longer than"},
		"no expected output":     {remove("12-redis/set-and-get.out"), "12-redis/set-and-get.out: the expected output of set-and-get.py is not there"},
		"a marker unknown":       {set("12-redis/set-and-get.out", "#! unordered\n#! sorted\n1\n"), `12-redis/set-and-get.out:2: unknown marker "sorted"`},
		"a reason unknown":       {set("12-redis/set-and-get.out", "#! end tired\n"), `12-redis/set-and-get.out:1: unknown marker "end tired"`},
		"a pattern unknown":      {set("12-redis/set-and-get.out", "1\n{{colour}}\n"), "12-redis/set-and-get.out:2: unknown pattern {{colour}}"},
		"a file left over":       {set("12-redis/old.py", "print(1)"), "12-redis/old.py: no ::cell line"},
		"a file at the top":      {set("notes.txt", "x"), "notes.txt: a lesson is a folder"},
		"a folder's bad name":    {set("redis/page.md", page), "redis/page.md: the folder's name must be two digits"},
		"an id taken twice": {func(files map[string]string) {
			for _, name := range []string{"page.md", "set-and-get.py", "set-and-get.out"} {
				files["13-redis/"+name] = files["12-redis/"+name]
			}
		}, `13-redis/page.md:1: the id "redis" is taken`},
		"lessons out of order": {func(files map[string]string) {
			files["13-files/page.md"] = "---\nid: files\ntitle: Files\nsection: File Systems\nlevel: 3\n---\nText.\n"
		}, `13-files/page.md:1: the section "File Systems" comes before`},
		"no lesson at all": {func(files map[string]string) { clear(files) }, "there is no lesson"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			files := small()
			c.change(files)
			_, err := Load(tree(files))
			if err == nil || !strings.Contains(err.Error(), "lessons/content") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestACodeBlockMayShowADirective(t *testing.T) {
	files := small()
	files["12-redis/page.md"] += "\n```\n::cell x.py \"y\"\n```\n"
	if _, err := Load(tree(files)); err != nil {
		t.Error(err)
	}
}
