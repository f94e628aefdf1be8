# Everything starts with the environment, so every target makes it first; made once, that costs nothing.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test lint lock bench matrix

help:
	@echo "make setup   the environment in .venv, from the lockfiles (PYTHON=python3.12 to choose the Python)"
	@echo "make demo    two rehearsed experiments, guarded and recorded: a few minutes, no GPU"
	@echo "make test    lint, then the whole test suite"
	@echo "make lint    ruff, mypy and import-linter"
	@echo "make bench   the benchmarks"
	@echo "make matrix  save with one version of transformers, load with another: docs/matrix.md anew"
	@echo "make lock    compile the lockfiles again (UPGRADE=--upgrade for newer versions)"

setup:
	@$(PYTHON) tools/setup_env.py

demo: setup
	@$(BIN)/ledger run exp5 --rehearse --again
	@$(BIN)/ledger run exp7 --rehearse --again

test: lint
	@$(BIN)/pytest -n 2

lint: setup
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

matrix: setup
	@$(BIN)/python tools/matrix.py

lock: setup
	@$(BIN)/python tools/compile_locks.py $(UPGRADE)
