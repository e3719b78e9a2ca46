# make run      builds Storeroom, prepares Python once, starts it and prints an address
# make test     runs everything that can fail
# make help     names the rest
#
# Files decide what is made again: a second `make run` builds nothing.

.DEFAULT_GOAL := help
.PHONY: help build run prepare test test-mongo-suites verify bench clean

export CGO_ENABLED = 0
ARGS ?=

program := bin/storeroom
checked := bin/.versions
modules := web/node_modules/.package-lock.json
page    := web/dist/manifest.json

# Folders are listed as well: their time changes when a file in them comes or goes.
page_sources := $(shell find web/src web/build.mjs web/tsconfig.json -not -name '*.test.ts' 2>/dev/null)
sources := go.mod go.sum $(wildcard web/*.go) $(shell find sandbox lessons server web/templates \
	-name __pycache__ -prune -o -not -name '*_test.go' -not -name 'test_*.py' -not -name testdata -print 2>/dev/null)

help:
	@echo 'make run      build, prepare Python once (about a minute), start, print an address'
	@echo '              options of `storeroom serve` go in ARGS: make run ARGS="--listen :8080"'
	@echo 'make build    leave the program in bin/storeroom'
	@echo 'make test     all tests, and at the end what passed, failed and was skipped'
	@echo 'make test-mongo-suites   pymongo'\''s own tests and mongosh against our MongoDB (a quarter of an hour)'
	@echo 'make verify   run every cell of every lesson and compare'
	@echo 'make bench    measure, and print the tables of figures (ARGS="-only mongo" for one)'
	@echo 'make clean    remove what was built here (`bin/storeroom clean` removes data and caches)'

build: $(program)

# serve prepares what is missing, after it has looked at its options, port and folders.
run: $(program)
	@exec $(program) serve $(ARGS)

prepare: $(program)
	@$(program) prepare

test: $(program)
	@python3 -B .ci/test.py

test-mongo-suites: $(checked)
	@python3 -B sandbox/store/mongo/suites/run.py $(ARGS)
	@python3 -B sandbox/store/mongo/suites/mongosh.py

verify: prepare
	@$(program) verify $(ARGS)

bench: prepare
	@go run ./server/bench -program $(program) $(ARGS)

clean:
	rm -rf bin web/node_modules web/build
	find web/dist -mindepth 1 -not -name .keep -delete

$(checked): Makefile .ci/versions.sh
	@sh .ci/versions.sh
	@mkdir -p bin && touch $@

$(modules): web/package.json web/package-lock.json | $(checked)
	@echo 'fetching what builds the page (npm ci)'
	@cd web && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error || { \
		echo 'storeroom: npm could not fetch what builds the page (it says why above): connect to the network and run make again; behind a proxy or a mirror, set up npm for it' >&2; exit 1; }
	@touch $@

$(page): $(modules) $(page_sources)
	@echo 'building the page'
	@cd web && npm run --silent build
	@touch $@

$(program): $(page) $(sources) | $(checked)
	@echo 'building the program (the first time takes a minute or two)'
	@go build -trimpath -buildvcs=false -o $@ ./server/cmd/storeroom || { \
		echo 'storeroom: the program could not be built (go says why above): if a module could not be fetched, connect to the network and run make again; behind a proxy or a mirror, set GOPROXY' >&2; exit 1; }
