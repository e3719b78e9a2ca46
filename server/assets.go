package server

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"storeroom/web"
)

// asset is a built file, compressed once.
type asset struct {
	kind          string
	plain, zipped []byte // zipped is nil where that does not pay
}

// assets serves the front end's files. Their names carry a hash of what is in them, so
// browsers keep them for good.
func assets() echo.HandlerFunc {
	files := web.Assets()
	var mu sync.Mutex
	made := map[string]*asset{} // as many as there are files
	return func(c echo.Context) error {
		name := c.Param("*")
		mu.Lock()
		defer mu.Unlock()
		file := made[name]
		if file == nil {
			var err error
			if file, err = readAsset(files, name); err != nil {
				return echo.ErrNotFound
			}
			made[name] = file
		}
		return file.send(c)
	}
}

func readAsset(files fs.FS, name string) (*asset, error) {
	plain, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	file := &asset{kind: mime.TypeByExtension(path.Ext(name)), plain: plain}
	var zipped bytes.Buffer
	writer, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := writer.Write(plain); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	if zipped.Len() < len(plain)*9/10 {
		file.zipped = zipped.Bytes()
	}
	return file, nil
}

func (a *asset) send(c echo.Context) error {
	h := c.Response().Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if a.zipped != nil && strings.Contains(c.Request().Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		return c.Blob(http.StatusOK, a.kind, a.zipped)
	}
	return c.Blob(http.StatusOK, a.kind, a.plain)
}
