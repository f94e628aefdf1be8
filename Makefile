# Every target first brings the environment up to date, which costs nothing once it is made.
PYTHON ?= python3
BIN := .venv/bin
GATE := --rehearse
# More than the cores of a small machine: tests wait for processes of their own.
WORKERS := 3
# A shallow clone, as CI makes them, may lack the base, and a first commit has none: then the gate compares with HEAD.
SHALLOW = $(filter true,$(shell git rev-parse --is-shallow-repository))
FIRST = $(if $(shell git rev-parse --verify --quiet HEAD^),,true)
BASE = $(if $(SHALLOW)$(FIRST),--base HEAD)

.PHONY: help setup demo check test slow lint gate docs lock bench matrix torture

help:
	@echo "make setup   the environment in .venv, from the lockfiles (PYTHON=python3.12 to choose the Python)"
	@echo "make demo    two rehearsed experiments, guarded and recorded: a few minutes, no GPU"
	@echo "make check   lint, then the unit tests: about two minutes on 2 cores"
	@echo "make test    lint, the gate, then all tests: about 23 minutes on 2 cores"
	@echo "make slow    the tests that need other environments, where those are built"
	@echo "make lint    ruff, mypy and import-linter"
	@echo "make gate    this project's own ledger gate, on its experiments"
	@echo "make docs    the documentation as a site, in build/site"
	@echo "make bench   the benchmarks"
	@echo "make torture what the record survives: mutations, kills, full disks, writers, secrets; it goes on where it was"
	@echo "make matrix  save with one version of transformers, load with another: docs/matrix.md is written again"
	@echo "make lock    compile the lockfiles again (UPGRADE=--upgrade for newer versions)"

setup:
	@$(PYTHON) tools/setup_env.py

demo: setup
	@$(BIN)/ledger run exp5 --rehearse --again
	@$(BIN)/ledger run exp7 --rehearse --again

check: lint
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not slow and not integration" tests/guards tests/ledger

test: lint gate
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal

slow: setup
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal -m slow

lint: setup
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

gate: setup
	@if [ -e .git ]; then $(BIN)/ledger gate $(GATE) $(BASE); else echo "no git history here: no gate"; fi

docs: setup
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open build/site/index.html"

bench: setup
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

matrix: setup
	@$(BIN)/python tools/matrix.py

lock: setup
	@$(BIN)/python tools/compile_locks.py $(UPGRADE)

torture: setup
	@$(BIN)/python tools/torture.py
