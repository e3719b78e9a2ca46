"""Files as learners use them. Runs in the guest, in a home folder with a quota of 1 MB and
100 files that /tmp shares; sandbox/python/wasi's python_test.go starts it."""

import errno
import glob
import os
import pathlib
import shelve
import shutil
import sqlite3
import stat
import tempfile
import time
import unittest
import zipfile

HOME = pathlib.Path("/home/learner")


class Files(unittest.TestCase):
    def setUp(self):
        os.chdir(HOME)
        self.addCleanup(self.clean)

    def clean(self):
        os.chdir(HOME)
        for entry in os.scandir(HOME):
            shutil.rmtree(entry) if entry.is_dir(follow_symlinks=False) else os.remove(entry)

    def test_the_documents_snippet(self):
        pathlib.Path("file.txt").write_text("before")
        with open("file.txt", "r") as file:
            self.assertEqual(file.read(), "before")
        with open("file.txt", "w") as file:
            file.write("Hello World")
        self.assertEqual(open("file.txt").read(), "Hello World")

    def test_modes(self):
        with open("a", "x") as f:
            f.write("one\n")
        with self.assertRaises(FileExistsError):
            open("a", "x")
        with open("a", "a") as f:
            f.write("two\n")
            self.assertEqual(f.tell(), 8)
        with open("a", "r+b") as f:
            f.seek(-2, os.SEEK_END)
            f.write(b"!")
            f.seek(0)
            self.assertEqual(f.readlines(), [b"one\n", b"tw!\n"])
            f.truncate(2)
        self.assertEqual(os.path.getsize("a"), 2)
        with self.assertRaises(FileNotFoundError):
            open("missing")
        with self.assertRaises(IsADirectoryError):
            open(".")
        with self.assertRaises(NotADirectoryError):
            open("a/b")
        fd = os.open("a", os.O_RDWR)
        self.assertEqual((os.pread(fd, 1, 1), os.pwrite(fd, b"zz", 1), os.pread(fd, 9, 0)), (b"n", 2, b"ozz"))
        os.close(fd)

    def test_stat(self):
        before = time.time()
        pathlib.Path("a").write_bytes(b"12345")
        s = os.stat("a")
        self.assertTrue(stat.S_ISREG(s.st_mode))
        self.assertEqual((s.st_size, s.st_nlink), (5, 1))
        for t in s.st_mtime, s.st_ctime, s.st_atime:
            self.assertAlmostEqual(t, before, delta=60)
        os.utime("a", (1, 2))
        self.assertEqual((os.stat("a").st_atime, os.stat("a").st_mtime), (1, 2))
        os.link("a", "b")
        self.assertTrue(os.path.samefile("a", "b"))
        self.assertEqual(os.stat("b").st_nlink, 2)

    def test_folders(self):
        os.makedirs("d/e/f")
        for name in "x", "y":
            pathlib.Path("d/e", name).write_text(name)
        os.symlink("e/x", "d/link")
        self.assertEqual([(r, sorted(d), sorted(f)) for r, d, f in os.walk("d")], [("d", ["e"], ["link"]), ("d/e", ["f"], ["x", "y"]), ("d/e/f", [], [])])
        kinds = {e.name: (e.is_dir(), e.is_file(), e.is_symlink(), e.inode() == e.stat(follow_symlinks=False).st_ino) for e in os.scandir("d")}
        self.assertEqual(kinds, {"e": (True, False, False, True), "link": (False, True, True, True)})
        self.assertEqual(sorted(glob.glob("d/**/x", recursive=True)), ["d/e/x"])
        self.assertEqual(sorted(map(str, pathlib.Path("d").rglob("*"))), ["d/e", "d/e/f", "d/e/x", "d/e/y", "d/link"])
        with self.assertRaises(OSError):
            os.rmdir("d")
        shutil.copytree("d", "copy", symlinks=True)
        self.assertEqual(os.readlink("copy/link"), "e/x")
        shutil.move("copy", "/tmp/moved")
        self.assertEqual(open("/tmp/moved/link").read(), "x")
        shutil.rmtree("/tmp/moved")
        shutil.rmtree("d")
        self.assertEqual(os.listdir(), [])

    def test_replace(self):
        for name in "a", "b":
            pathlib.Path(name).write_text(name)
        os.replace("a", "b")
        self.assertEqual((os.listdir(), open("b").read()), (["b"], "a"))
        os.mkdir("d")
        with self.assertRaises(OSError):
            os.replace("b", "d")
        with self.assertRaises(OSError) as caught:
            os.rename("b", "/tmp/b")
        self.assertEqual(caught.exception.errno, errno.EXDEV)
        shutil.move("b", "/tmp/b")
        os.remove("/tmp/b")

    def test_links(self):
        pathlib.Path("f").write_text("mine")
        os.symlink("/home/learner/f", "absolute")
        self.assertEqual(open("absolute").read(), "mine")
        self.assertEqual(pathlib.Path("absolute").resolve(), HOME / "f")
        self.assertEqual(os.path.realpath("absolute"), str(HOME / "f"))
        os.symlink("nothing", "broken")
        self.assertTrue(os.path.lexists("broken"))
        self.assertFalse(os.path.exists("broken"))
        os.symlink("loop", "loop")
        with self.assertRaises(OSError) as caught:
            open("loop")
        self.assertEqual(caught.exception.errno, errno.ELOOP)

    def test_no_way_out(self):
        for path in "/etc/passwd", "../../etc/passwd", "/home/learner/../../etc/passwd", "/proc/self/environ", "/home/learner/../../../../../../etc/shadow":
            with self.assertRaises(OSError):
                open(path)
        for target in "/etc", "../../../../../../etc", "/":
            os.symlink(target, "out")
            with self.assertRaises(OSError):
                open("out/passwd")
            os.remove("out")
        for path in "/new", "/site/new", "/guest/storeroom/__init__.py", "/usr/local/lib/new", "/home/new":
            with self.assertRaises(OSError) as caught:
                open(path, "w")
            self.assertEqual(caught.exception.errno, errno.EROFS, path)
        self.assertFalse(os.access("/site", os.W_OK))
        self.assertTrue(os.access(HOME, os.W_OK))

    def test_working_directory(self):
        self.assertEqual(os.getcwd(), str(HOME))
        os.mkdir("d")
        os.chdir("d")
        pathlib.Path("../f").write_text("up")
        self.assertEqual(open("/home/learner/f").read(), "up")
        self.assertEqual(os.path.abspath("x"), "/home/learner/d/x")
        os.chdir("/tmp")
        self.assertEqual(os.listdir(".."), os.listdir("/"))
        self.assertIn("learner", os.listdir("/home"))

    def test_temporary_files(self):
        with tempfile.TemporaryFile() as f:
            f.write(b"x" * 1000)
            f.seek(0)
            self.assertEqual(len(f.read()), 1000)
        with tempfile.NamedTemporaryFile() as f:
            self.assertTrue(f.name.startswith("/tmp/"))
        with tempfile.TemporaryDirectory() as d:
            pathlib.Path(d, "x").touch()
        self.assertFalse(os.path.exists(d))

    def test_libraries(self):
        with sqlite3.connect("data.db") as db:
            db.execute("create table t (x)")
            db.executemany("insert into t values (?)", [(i,) for i in range(100)])
        self.assertEqual(sqlite3.connect("data.db").execute("select sum(x) from t").fetchone(), (4950,))
        with shelve.open("shelf") as shelf:
            shelf["key"] = [1, 2]
        with shelve.open("shelf") as shelf:
            self.assertEqual(shelf["key"], [1, 2])
        with zipfile.ZipFile("z.zip", "w") as z:
            z.write("data.db")
        shutil.make_archive("/tmp/all", "zip", HOME)
        os.remove("/tmp/all.zip")

    def test_full(self):
        with self.assertRaisesRegex(OSError, "No space left on device") as caught:
            with open("big", "wb", buffering=0) as f:
                while True:
                    f.write(bytes(100_000))
        self.assertEqual(caught.exception.errno, errno.ENOSPC)
        with self.assertRaises(OSError):
            pathlib.Path("/tmp/more").write_text("x")
        with self.assertRaises(OSError):
            os.truncate("big", 1 << 40)
        os.truncate("big", 100)
        pathlib.Path("/tmp/more").write_text("x" * 1000)
        os.remove("/tmp/more")
        os.remove("big")
        with self.assertRaises(OSError) as caught:
            for i in range(1000):
                pathlib.Path(f"f{i}").touch()
        self.assertEqual(caught.exception.errno, errno.ENOSPC)
        self.assertGreater(i, 90)

    def test_too_many_open(self):
        held = []
        with self.assertRaises(OSError) as caught:
            while True:
                held.append(open("f", "w"))
        self.assertEqual(caught.exception.errno, errno.EMFILE)
        for f in held:
            f.close()
        os.closerange(3, 1000)
        self.assertIn("f", os.listdir())


unittest.main(argv=["test", "-v"], exit=False)
