// Package web owns what a learner's browser gets: the pages' templates, the styles
// and the front end's built scripts, all embedded into the program. The server calls
// Render for a page and serves Assets as they are. The package never talks to a
// sandbox, reads no request and knows no route but the ones its links name:
//
//	/lesson/<id>, /seat, /seat/code, /seat/take, /seat/delete, /door, /assets/, /ws
//
// The scripts are made by `npm run build` in this folder and land in dist/. Without
// them the package still compiles and its pages can still be read: see Built.
package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"sync"
)

// AssetPath is where the server must serve Assets.
const AssetPath = "/assets/"

//go:embed templates/*.html
var templates embed.FS

//go:embed all:dist
var dist embed.FS

// pages parses the templates once; the program can't change them afterwards.
var pages = sync.OnceValues(func() (*template.Template, error) {
	names, err := manifest()
	if err != nil {
		return nil, err
	}
	funcs := template.FuncMap{
		// asset is the address of a built file, "" when it was not built.
		"asset": func(source string) string {
			if name := names[source]; name != "" {
				return AssetPath + name
			}
			return ""
		},
	}
	return template.New("").Funcs(funcs).ParseFS(templates, "templates/*.html")
})

// Assets holds the built scripts, styles and pictures. Each name carries a hash of
// the file's content, so a server may tell browsers to keep them for ever.
func Assets() fs.FS {
	built, err := fs.Sub(dist, "dist")
	if err != nil { // can't be: the name is a constant and valid
		return embed.FS{}
	}
	return built
}

// Built says whether the front end's scripts were built into this program. Without
// them the pages can be read, but nothing runs.
func Built() bool {
	names, err := manifest()
	return err == nil && names["page.js"] != ""
}

// Policy is the Content-Security-Policy that the pages need, for a page whose
// Frame.Nonce is nonce. It holds no unsafe-*: CodeMirror's styles go by the nonce.
func Policy(nonce string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + nonce + "'; " +
		"img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// Render writes the page called name, one of "lesson" (data is LessonPage), "door"
// (DoorPage), "seat" (SeatPage) and "error" (ErrorPage), as HTML. Nothing is written
// when it fails, so the caller can still send another status.
func Render(w io.Writer, name string, data any) error {
	set, err := pages()
	if err != nil {
		return fmt.Errorf("parse the pages' templates: %w", err)
	}
	var page bytes.Buffer
	if err := set.ExecuteTemplate(&page, name+".html", data); err != nil {
		return fmt.Errorf("render page %q: %w", name, err)
	}
	_, err = page.WriteTo(w)
	return err
}

// manifest maps a file's plain name to its built one: "page.js" to "page-4F2A.js".
// It is empty when the front end was not built.
func manifest() (map[string]string, error) {
	text, err := fs.ReadFile(dist, "dist/manifest.json")
	if err != nil {
		return nil, nil
	}
	names := map[string]string{}
	if err := json.Unmarshal(text, &names); err != nil {
		return nil, fmt.Errorf("read web/dist/manifest.json: %w", err)
	}
	return names, nil
}
