package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"storeroom/sandbox/store/mongo/engine"
	"storeroom/sandbox/store/mongo/engine/archive"
	"storeroom/sandbox/store/mongo/engine/storage"
)

// standard is the file name that stands for standard input and output.
const standard = "-"

// mongoDump is the subcommand that writes a folder of storeroom mongo as an archive.
func mongoDump(ctx context.Context, t terminal, args []string) error {
	var folder, db string
	var packed bool
	flags := newFlags(t, "mongo dump", "--data FOLDER [OPTIONS] FILE\n\nWrite the data of `storeroom mongo --data FOLDER`, which must not be running, to FILE as the\narchive that mongodump --archive makes and mongorestore reads; - is standard output. A\nrunning one is dumped by the real mongodump.")
	flags.StringVar(&folder, "data", "", "`folder` that holds the data")
	flags.StringVar(&db, "db", "", "`name` of the one database to write; all if not given")
	flags.BoolVar(&packed, "gzip", false, "compress the archive")
	file, err := dumpArgs(t, flags, &folder, args)
	if err != nil {
		return err
	}
	if _, err := os.Stat(folder); err != nil {
		return fmt.Errorf("open the data: %w", err)
	}
	e, err := engine.Open(folder, engine.Options{Logger: quietLog(t)})
	if err != nil {
		return err
	}
	var sum archive.Summary
	err = writeWhole(t, file, func(w io.Writer) error {
		sum, err = e.Dump(ctx, w, archive.WriteOptions{Gzip: packed, Keep: keepDB(db)})
		return err
	})
	if err = errors.Join(err, e.Close()); err != nil {
		return err
	}
	fmt.Fprintf(t.err, "written: %d documents of %d collections\n", sum.Documents, sum.Collections)
	return nil
}

// mongoRestore is the subcommand that reads an archive into a folder of storeroom mongo.
func mongoRestore(ctx context.Context, t terminal, args []string) error {
	var folder, db string
	var drop bool
	flags := newFlags(t, "mongo restore", "--data FOLDER [OPTIONS] FILE\n\nRead an archive of `storeroom mongo dump` or mongodump --archive, compressed or not, into\nthe data of `storeroom mongo --data FOLDER`, which must not be running: all of it, or nothing\nif it fails. - is standard input.")
	flags.StringVar(&folder, "data", "", "`folder` for the data; made if it isn't there")
	flags.StringVar(&db, "db", "", "`name` of the one database to restore; all if not given")
	flags.BoolVar(&drop, "drop", false, "let the archive's collections replace those that are there")
	file, err := dumpArgs(t, flags, &folder, args)
	if err != nil {
		return err
	}
	in := t.in
	if file != standard {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	e, err := engine.Open(folder, engine.Options{Logger: quietLog(t)})
	if err != nil {
		return err
	}
	sum, err := e.Undump(ctx, in, archive.RestoreOptions{Drop: drop, Keep: keepDB(db)})
	if err = errors.Join(err, e.Close()); err != nil {
		return err
	}
	fmt.Fprintf(t.err, "restored: %d documents of %d collections\n", sum.Documents, sum.Collections)
	if sum.Skipped > 0 {
		fmt.Fprintf(t.err, "left out: %d documents whose key is taken; --drop replaces the collections\n", sum.Skipped)
	}
	return nil
}

// dumpArgs parses the arguments that both take and answers FILE.
func dumpArgs(t terminal, flags *flag.FlagSet, folder *string, args []string) (string, error) {
	if err := parse(ownOnly(t), flags, args); err != nil {
		return "", err
	}
	switch left := flags.Args(); {
	case *folder == "":
		return "", &usageError{"say which data with --data"}
	case len(left) != 1:
		return "", &usageError{"it takes one FILE after the options"}
	default:
		return left[0], nil
	}
}

func keepDB(name string) func(storage.NS) bool {
	if name == "" {
		return nil
	}
	return func(ns storage.NS) bool { return ns.DB == name }
}

// writeWhole writes a file that is there only when all of it is.
func writeWhole(t terminal, file string, write func(io.Writer) error) error {
	if file == standard {
		return write(t.out)
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // once renamed, it isn't there
	if err := errors.Join(write(f), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
