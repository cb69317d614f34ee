# Two commands do everything on a machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
DEMO   ?= demo

.PHONY: demo test check lint types imports tests numbers calibrate lock chromium clean help

help:            ## what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

# The stamp is newer than the lock only when every package of the lock is installed.
$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "Setting up (once): a virtual environment in $(VENV), with every package pinned by its hash."
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Octad needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another with make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

demo: $(VENV)/.installed  ## make the worked example, review it, say where the report is
	@$(BIN)/octad demo $(DEMO)

test: $(VENV)/.installed chromium check tests  ## all checks and all tests

check: lint types imports  ## style, types, layers

lint: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed
	$(BIN)/mypy

imports: $(VENV)/.installed
	$(BIN)/lint-imports

tests: $(VENV)/.installed
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

chromium:        ## the browser that the report's test needs (Debian's, when there is none)
	@sh tools/chromium.sh

numbers: $(VENV)/.installed  ## our statistics beside published numbers
	@$(BIN)/python -m tests.reference.table $(ARGS)

calibrate: $(VENV)/.installed  ## measured error rates and coverage
	@$(BIN)/python -m tests.reference.calibrate $(ARGS)

lock: $(VENV)/.installed  ## resolve requirements.lock anew
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile pyproject.toml --group dev --extra examples --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet -o requirements.lock

clean:           ## remove what was made
	rm -rf $(VENV) demo screenshots build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
