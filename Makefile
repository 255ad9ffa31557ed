# oakum's house. `make scan REPO=path` and `make test` set everything up by themselves; `make help` lists the rest.
#
# PYTHON=python3.12 chooses the interpreter (3.11 or later); otherwise the first fit one on PATH is taken. What is set
# up is remembered by stamp files in .venv, made anew when pyproject.toml or the compiled part changes. Nothing else
# needs the network.

SHELL := /bin/sh
BIN := .venv/bin
VENV := .venv/python.stamp
RUN := .venv/oakum.stamp
DEV := .venv/dev.stamp
COMPILED := scanner/sources/_packs.pyx
REPO ?=
ARGS ?=
PYTHON ?=
FROM ?=
BENCH_DIR ?= benchmarks/.work
BENCH_ARGS ?=
RUNS ?= 5
export REPO PYTHON

.DEFAULT_GOAL := help
.PHONY: help scan test test-long fuzz check lint types docs-check lint-detectors self-scan docs bench bench-peers bench-repos bench-limit bench-growth bench-memory bench-listings bench-sweep dev clean FORCE

help:
	@echo "make scan REPO=path [ARGS='--min-band high']  scan a repository, folder or file"
	@echo "make test        the fast tests"
	@echo "make test-long   the long tests"
	@echo "make fuzz        the pack reader under the address sanitizer (needs gcc): sound, odd and damaged packs"
	@echo "make check       format, lint, types, documentation, detectors' cost, fast tests, and oakum's scan of itself"
	@echo "make lint-detectors  what each detector costs on ordinary text, and how its cost grows on text made to hurt"
	@echo "make bench-repos FROM='/path/to/repository …'  complete copies to measure with, and a tree, in BENCH_DIR"
	@echo "make bench-peers install other scanners from PyPI into BENCH_DIR, each in an environment of its own"
	@echo "make bench [RUNS=5] [BENCH_ARGS='--only history']  measure oakum and its peers in turn"
	@echo "make bench-limit   how far a scan of a history is from the least that must be done"
	@echo "make bench-growth  time over commits of a made-up history, drawn as docs/growth.svg"
	@echo "make bench-memory  memory over objects of a made-up repository"
	@echo "make bench-listings  ten million entries of made-up listings: entries a second, memory"
	@echo "make bench-sweep  sweeps of a made-up organization, night after night, and in one process or several"
	@echo "make docs        write the generated parts of the documentation again"
	@echo "make dev         an editable install with the development tools, and links for editors"
	@echo "make clean       remove all that was made here"

ifneq ($(filter scan,$(MAKECMDGOALS)),)
ifeq ($(REPO),)
$(error REPO is not set: make scan REPO=path/to/repository)
endif
endif

scan: $(RUN)
	@$(BIN)/oakum scan $(ARGS) -- "$$REPO" || { code=$$?; test $$code -eq 1 || exit $$code; }

test: $(DEV)
	$(BIN)/python -m pytest -n auto -m "not long"

test-long: $(DEV)
	$(BIN)/python -m pytest -n auto -m long

check: lint types docs-check lint-detectors test self-scan

lint: $(DEV)
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(DEV)
	$(BIN)/mypy

docs-check: $(DEV)
	$(BIN)/python docs/generate.py --check

self-scan: $(DEV)
	$(BIN)/oakum scan . --no-history --min-band low

FUZZ := $(or $(TMPDIR),/tmp)/oakum-fuzz
fuzz: $(DEV)
	rm -rf "$(FUZZ)" && mkdir -p "$(FUZZ)/oakum" && cp -R scanner detectors allowlists "$(FUZZ)/oakum/"
	rm -f "$(FUZZ)"/oakum/scanner/sources/_packs*.so
	cd "$(FUZZ)/oakum/scanner/sources" && CFLAGS="-fsanitize=address,undefined -g -O1" \
	  "$(CURDIR)/$(BIN)/cythonize" -3 -i _packs.pyx
	PYTHONPATH="$(FUZZ)" LD_PRELOAD="$$(gcc -print-file-name=libasan.so)" ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1 \
	  $(BIN)/python -m pytest tests/sources/test_packs.py tests/sources/test_broken_packs.py \
	  tests/sources/test_mutated_packs.py tests/sources/test_pack_bombs.py tests/sources/test_pack_attacks.py \
	  tests/sources/test_commits.py \
	  -n auto -m "long or not long" -k "not vector"

lint-detectors: $(DEV)
	$(BIN)/python -m benchmarks.detector_cost

docs: $(DEV)
	$(BIN)/python docs/generate.py

bench: $(DEV)
	$(BIN)/python -m benchmarks.bench --dir "$(BENCH_DIR)" --runs $(RUNS) --docs docs/benchmarks.md $(BENCH_ARGS)

bench-peers: $(DEV)
	$(BIN)/python -m benchmarks.peers --dir "$(BENCH_DIR)"

bench-repos: $(DEV)
	$(BIN)/python -m benchmarks.repositories --dir "$(BENCH_DIR)" $(FROM)

bench-limit: $(DEV)
	$(BIN)/python -m benchmarks.limit --dir "$(BENCH_DIR)" --runs $(RUNS)

bench-growth: $(DEV)
	$(BIN)/python -m benchmarks.growth --dir "$(BENCH_DIR)" --chart docs/growth.svg

bench-memory: $(DEV)
	$(BIN)/python -m benchmarks.many_objects --dir "$(BENCH_DIR)"

bench-listings: $(DEV)
	$(BIN)/python -m benchmarks.listings --dir "$(BENCH_DIR)" --oakum "$(BIN)/oakum"

bench-sweep: $(DEV)
	$(BIN)/python -m benchmarks.sweep --dir "$(BENCH_DIR)" --report "$(BENCH_DIR)/sweep.json"

dev: $(DEV)

clean:
	rm -rf .venv .dev .azurite .hook-managers build dist scanner/sources/_packs.c scanner/sources/_packs.*.so scanner/sources/_packs.*.pyd oakum.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# --- setting up -----------------------------------------------------------------------------------------------------

$(DEV): pyproject.toml $(COMPILED) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	mkdir -p .dev/oakum
	for part in scanner detectors allowlists; do ln -sfn "../../$$part" ".dev/oakum/$$part"; done
	@touch $(DEV) $(RUN)

$(RUN): pyproject.toml $(COMPILED) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $(RUN)

# The stamp holds the PYTHON that was asked for. Another one than last time makes .venv anew, and so does one whose
# interpreter is gone; none given is content with what is there.
ifneq ($(PYTHON),)
ifneq ($(PYTHON),$(shell cat $(VENV) 2>/dev/null))
$(VENV): FORCE
endif
endif
ifeq ($(wildcard $(BIN)/python),)
$(VENV): FORCE
endif

$(VENV):
	@command -v git >/dev/null || { echo "oakum needs git: install it (https://git-scm.com), then try again"; exit 2; }
	@for python in $${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	      echo "$$python has no venv module: install it (on Debian and Ubuntu: apt-get install python3-venv)"; exit 2; \
	    fi; \
	    echo "setting up .venv with $$("$$python" --version)"; \
	    "$$python" -m venv --clear .venv && printf '%s' "$$PYTHON" > $(VENV); exit; \
	  fi; \
	done; \
	echo "no Python 3.11 or later was found ($${PYTHON:-python3, python3.11 to python3.14, python}): install one" \
	  "(https://www.python.org/downloads/), or name it: make PYTHON=/path/to/python3.12"; exit 2
