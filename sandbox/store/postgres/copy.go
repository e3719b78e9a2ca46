package postgres

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"storeroom/sandbox"
	"storeroom/sandbox/store"
	"storeroom/sandbox/store/daemon"
)

// Copy makes the folder dst, ready for a Cluster that runs as uid (0: as this process's
// user), from a template. A copy of which it is not known yet whose it will be is made
// with 0, and gets its uid from Give. Where the file system can, the files share their blocks. It
// takes about 100 ms without that; dst appears when it is whole.
func Copy(ctx context.Context, parts, template, dst string, uid int) error {
	part := dst + ".part"
	if err := os.RemoveAll(part); err != nil {
		return fmt.Errorf("copy the PostgreSQL template: %w", err)
	}
	defer os.RemoveAll(part) // nothing is there when all went well
	if err := makeCopy(ctx, parts, template, part, uid); err != nil {
		return fmt.Errorf("copy the PostgreSQL template: %w", err)
	}
	if err := os.Rename(part, dst); err != nil {
		return fmt.Errorf("copy the PostgreSQL template: %w", err)
	}
	return nil
}

func makeCopy(ctx context.Context, parts, template, dst string, uid int) error {
	if err := os.MkdirAll(dst, 0o711); err != nil {
		return err
	}
	if err := copyTree(ctx, filepath.Join(template, dataName), filepath.Join(dst, dataName)); err != nil {
		return err
	}
	if shelf, ok := store.NewRest(filepath.Join(template, shelfName)).Load(); ok {
		if err := store.NewRest(filepath.Join(dst, shelfName)).Save(shelf); err != nil {
			return err
		}
	}
	s := newSecret()
	if err := s.write(filepath.Join(dst, secretName)); err != nil {
		return err
	}
	maker, err := maker()
	if err != nil {
		return err
	}
	if err := Give(dst, maker); err != nil {
		return err
	}
	if err := setPasswords(ctx, parts, filepath.Join(dst, dataName), maker, s); err != nil {
		return err
	}
	return Give(dst, uid)
}

// copyTree copies folders and files. On file systems that can, io.Copy makes the kernel
// share the blocks (copy_file_range).
func copyTree(ctx context.Context, src, dst string) error {
	return filepath.WalkDir(src, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		to := filepath.Join(dst, strings.TrimPrefix(path, src))
		if d.IsDir() {
			return os.Mkdir(to, 0o700)
		}
		return copyFile(path, to)
	})
}

func copyFile(src, dst string) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// Give makes uid the owner of a copy's data. The cluster must not run. Where this process
// is not root all belongs to its user, and nothing happens.
func Give(dir string, uid int) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return filepath.WalkDir(filepath.Join(dir, dataName), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, uid)
	})
}

// setPasswords gives the server's own roles the passwords of s. PostgreSQL's single-user
// mode does it without a server and without a password, in about 20 ms.
func setPasswords(ctx context.Context, parts, data string, uid int, s secret) error {
	var sql strings.Builder
	for _, role := range []string{superuser, looker} {
		v, err := verifier(s.password(role))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sql, "ALTER ROLE %s PASSWORD '%s'\n", role, v)
	}
	spec := server(parts, data, uid, sandbox.Defaults())
	spec.Args = []string{"--single", "-D", data, "-c", "fsync=off", "-c", "shared_buffers=4MB",
		"-c", "dynamic_shared_memory_type=mmap", "-c", "exit_on_error=on",
		"-c", "log_checkpoints=off", "template1"}
	spec.Read = append(spec.Read, accounts[:]...)
	cmd, err := daemon.Command(ctx, spec)
	if err != nil {
		return err
	}
	cmd.Stdin = strings.NewReader(sql.String())
	if out, err := output(cmd); err != nil {
		return fmt.Errorf("set the administrator's password: %w: %s", err, out)
	}
	return nil
}
