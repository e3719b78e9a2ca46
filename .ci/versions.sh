#!/bin/sh
# Says what is missing to build Storeroom, all of it at once, and what to do about it.

missing=0
lack() {
	echo "storeroom: $1" >&2
	missing=1
}

# at_least HAVE WANT compares versions of two numbers.
at_least() {
	have_major=${1%%.*} have_rest=${1#*.} want_major=${2%%.*} want_minor=${2#*.}
	have_minor=${have_rest%%[!0-9]*}
	[ "$have_major" -gt "$want_major" ] || { [ "$have_major" -eq "$want_major" ] && [ "$have_minor" -ge "$want_minor" ]; }
}

case $(uname -s) in
Linux)
	case $(uname -m) in
	x86_64 | aarch64 | arm64) ;;
	*) lack "runs on x86-64 and arm64, and this machine is $(uname -m)" ;;
	esac
	if ldd --version 2>&1 | grep -qi musl; then
		lack 'needs a Linux with glibc (Debian, Ubuntu, Fedora, …), and this one has musl: use Docker (docker compose up)'
	fi ;;
*)
	lack "runs on Linux, and this is $(uname -s): use Docker (docker compose up), on Windows also WSL 2" ;;
esac

# Here, in the module, an older go fetches the version that go.mod asks for by itself.
if ! command -v go >/dev/null; then
	lack 'needs Go 1.26 or newer, and there is no go on PATH: install it (https://go.dev/dl)'
elif ! go=$(go env GOVERSION 2>/dev/null) || ! at_least "${go#go}" 1.26; then
	lack "needs Go 1.26 or newer, and go is ${go:-older}: install a newer one (https://go.dev/dl)"
fi

if ! command -v python3 >/dev/null; then
	lack 'needs Python 3.9 or newer with pip, and there is no python3 on PATH: install it (it fetches the pinned parts)'
elif ! python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])'); then
	lack 'needs Python 3.9 or newer with pip, and python3 does not run (it says why above): install one that does'
elif ! at_least "$python" 3.9; then
	lack "needs Python 3.9 or newer with pip, and python3 is $python: install a newer one"
elif ! python3 -c 'import pip' 2>/dev/null; then
	lack 'needs pip for python3: install it (Debian and Ubuntu: apt-get install python3-pip; elsewhere: python3 -m ensurepip --upgrade)'
fi

if ! command -v node >/dev/null; then
	lack 'needs Node 20.11 or newer with npm, and there is no node on PATH: install it (https://nodejs.org)'
elif node=$(node --version) && ! at_least "${node#v}" 20.11; then
	lack "needs Node 20.11 or newer, and node is $node: install a newer one (https://nodejs.org)"
elif ! command -v npm >/dev/null; then
	lack 'needs npm beside node, and it is not on PATH: install it (Debian and Ubuntu: apt-get install npm)'
fi

exit $missing
