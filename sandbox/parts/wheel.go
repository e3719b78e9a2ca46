package parts

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
)

// Where python's files go, and where the standard library keeps matplotlib's data.
const (
	stdlibZip      = "lib/python315.zip"
	matplotlibData = "mpl-data"
	matplotlibZip  = "matplotlib/mpl-data.zip"
)

// unpackWheel writes the files of a wheel that place keeps into dir. A file that would
// land outside dir, or is neither a file nor a folder, is an error.
func unpackWheel(wheel string, dir *os.Root, place func(string) (string, bool)) error {
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return fmt.Errorf("open %s: %w", filepath.Base(wheel), err)
	}
	defer archive.Close()
	return unpackZip(&archive.Reader, dir, place)
}

func unpackZip(archive *zip.Reader, dir *os.Root, place func(string) (string, bool)) error {
	for _, file := range archive.File {
		if file.FileInfo().IsDir() {
			continue
		}
		// Checked for every file: a wheel with one bad name is not to be trusted at all.
		if !filepath.IsLocal(file.Name) || !file.Mode().IsRegular() {
			return fmt.Errorf("%q is no plain file inside its archive", file.Name)
		}
		target, ok := place(file.Name)
		if !ok {
			continue
		}
		if err := unpackFile(file, dir, target); err != nil {
			return err
		}
	}
	return nil
}

func unpackFile(file *zip.File, dir *os.Root, target string) error {
	if err := dir.MkdirAll(path.Dir(target), 0o755); err != nil {
		return fmt.Errorf("unpack %s: %w", target, err)
	}
	mode := os.FileMode(0o644)
	if file.Mode()&0o111 != 0 {
		mode = 0o755
	}
	from, err := file.Open()
	if err != nil {
		return fmt.Errorf("unpack %s: %w", target, err)
	}
	defer from.Close()
	to, err := dir.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", target, err)
	}
	// io.Copy meets the archive's own checksum at the end.
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		return fmt.Errorf("unpack %s: %w", target, err)
	}
	// The marker must not outlive a power cut that the large files did not.
	if file.UncompressedSize64 > 1<<20 {
		if err := to.Sync(); err != nil {
			to.Close()
			return fmt.Errorf("unpack %s: %w", target, err)
		}
	}
	return to.Close()
}

// unpackMatplotlib takes matplotlib's data, a zip inside the standard library's zip,
// out into a folder: matplotlib opens its fonts as files.
func unpackMatplotlib(dir *os.Root) error {
	file, err := dir.Open(stdlibZip)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	outer, err := zip.NewReader(file, info.Size())
	if err != nil {
		return fmt.Errorf("open %s: %w", stdlibZip, err)
	}
	data, err := read(outer, matplotlibZip)
	if err != nil {
		return err
	}
	inner, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return fmt.Errorf("open %s: %w", matplotlibZip, err)
	}
	return unpackZip(inner, dir, func(p string) (string, bool) { return path.Join(matplotlibData, p), true })
}

func read(archive *zip.Reader, name string) ([]byte, error) {
	file, err := archive.Open(name)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", name, err)
	}
	defer file.Close()
	return io.ReadAll(file)
}
