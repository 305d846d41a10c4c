# Everything sets itself up: `make run` and `make test` work in a fresh clone with Python 3.11 or newer.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint .ci/constraints.txt
ARGS   ?=

.PHONY: help run test check lint bench shots clean

help: ## Show these targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: $(VENV)/.run ## Open the console on the local Docker Engine (ARGS="stacks/hello.yaml" opens a stack's plan)
	@$(BIN)/orchtui $(ARGS)

test: $(VENV)/.dev ## Run every test; those that need Docker skip without one
	@$(BIN)/python -m pytest $(ARGS)

check: lint ## The gate of every commit: format, lint, types, layers, and the tests that need no Docker
	@$(BIN)/python -m pytest -m "not docker" -n 3 $(ARGS)

lint: $(VENV)/.dev ## Format, lint, types and layers only
	@$(BIN)/ruff format --check --quiet . || { echo "Run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: $(VENV)/.dev ## Measure on the real Docker Engine; one JSON line a measure
	@$(BIN)/python -m tests.bench

shots: $(VENV)/.dev ## Render the main views into screenshots/ (SVG and PNG)
	@$(BIN)/python -m tests.support.shots screenshots

clean: ## Remove the virtual environment and caches
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "orchtui needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.12 …"; exit 1; }
	@echo "Setting up $(VENV) (once) …" >&2
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }

# Byte-compiled at once: without .pyc files the first start takes a second longer (docs/performance.md).
$(VENV)/.run: pyproject.toml .ci/constraints.txt | $(VENV)/bin/python
	@$(PIP) --editable .
	@$(BIN)/python -m compileall -q $(VENV)/lib orchtui
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(PIP) --editable '.[dev]'
	@$(BIN)/python -m compileall -q $(VENV)/lib
	@touch $@
