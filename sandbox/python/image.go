package python

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// image is the memory of a booted interpreter between two turns, in a file that every
// fork maps.
type image struct {
	Size  int64  `json:"size"` // bytes of memory
	Code  int64  `json:"code"` // bytes of the compiled code that it was booted on
	Words []word `json:"words"`
	file  *os.File
}

// describes is the name of the file that holds the rest of an image.
func describes(path string) string { return path + ".json" }

func openImage(path string) (*image, error) {
	i, err := readImage(path)
	if err != nil {
		return nil, err
	}
	if i.file, err = os.Open(path); err != nil {
		return nil, err
	}
	return i, nil
}

// readImage reads an image's description and checks that the file fits it.
func readImage(path string) (*image, error) {
	text, err := os.ReadFile(describes(path))
	if err != nil {
		return nil, err
	}
	i := &image{}
	if err := json.Unmarshal(text, i); err != nil {
		return nil, fmt.Errorf("read the image's description: %w", err)
	}
	s, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if s.Size() != i.Size || i.Size == 0 || len(i.Words) != interruptWords {
		return nil, errors.New("the image is damaged: its size is not the one described")
	}
	return i, nil
}

// readWhole is readImage that looks at the compiled code as well: it does not load when
// it is cut short, and a server that started on it would fail every run.
func readWhole(c Config) (*image, error) {
	i, err := readImage(c.Image)
	if err != nil {
		return nil, err
	}
	s, err := os.Stat(c.Code)
	if err != nil {
		return nil, err
	}
	if s.Size() != i.Code {
		return nil, errors.New("the compiled code is damaged: its size is not the one described")
	}
	return i, nil
}

func (i *image) close() error {
	if i == nil || i.file == nil {
		return nil
	}
	return i.file.Close()
}

// write keeps the image of a guest at rest: first the memory, then the description,
// each at once or not at all.
func (i *image) write(path string, memory []byte) error {
	i.Size = int64(len(memory))
	if err := replaceFile(path, imageMode, func(f *os.File) error { return writeSparse(f, memory) }); err != nil {
		return fmt.Errorf("keep the image: %w", err)
	}
	text, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return replaceFile(describes(path), imageMode, func(f *os.File) error {
		_, err := f.Write(text)
		return err
	})
}

// imageMode lets sandboxes of other users map what only the owner may write: it is
// code that every learner's interpreter runs.
const imageMode = 0o644

// writeSparse leaves holes where memory holds only zeroes.
func writeSparse(f *os.File, memory []byte) error {
	var zero [pageSize]byte
	for at := 0; at < len(memory); at += pageSize {
		page := memory[at:min(at+pageSize, len(memory))]
		if string(page) == string(zero[:len(page)]) {
			continue
		}
		if _, err := f.WriteAt(page, int64(at)); err != nil {
			return err
		}
	}
	return f.Truncate(int64(len(memory)))
}

// pageSize is the granularity of holes; it need not be the machine's.
const pageSize = 4096

// replaceFile writes a new file at path: whoever opens path finds the old one or the
// whole new one.
func replaceFile(path string, mode os.FileMode, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), unfinished)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = errors.Join(write(f), f.Chmod(mode), f.Sync())
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
