# Two commands do everything on a machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS   ?=
BENCH_ARGS ?=
only   ?=
RESOLVE := pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header --quiet
ENGINES := --extra postgres --extra spark --extra clickhouse --extra chdb
DEMO   ?= demo

.PHONY: demo test check lint types imports tests numbers calibrate bench worlds lock chromium engines clean help

help:            ## what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 14

# A stamp is newer than its lock only when every package of the lock is installed.
define setup
	@echo "Setting up (once, about a minute): a virtual environment in $(VENV), every package pinned by its hash."
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Octad needs Python 3.11 or newer, and this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r $(1)
	@$(PIP) --no-build-isolation --no-deps -e .
endef

$(VENV)/.runs: requirements.lock
	$(call setup,requirements.lock)
	@touch $@

$(VENV)/.tests: requirements-dev.lock
	$(call setup,requirements-dev.lock)
	@touch $@ $(VENV)/.runs

demo: $(VENV)/.runs  ## make the worked example, review it, say where the report is
	@$(BIN)/octad demo $(DEMO)

test: $(VENV)/.tests chromium engines check tests  ## all checks and all tests

check: lint types imports  ## style, types, layers

lint: $(VENV)/.tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.tests
	$(BIN)/mypy

imports: $(VENV)/.tests
	$(BIN)/lint-imports

tests: $(VENV)/.tests
	$(BIN)/pytest -n auto --dist worksteal --ignore tests/engines $(ARGS)
	$(if $(ARGS),,$(BIN)/pytest tests/engines)  # alone, for one cluster of each engine

chromium:        ## the browser that the report's test needs (Debian's, when there is none)
	@sh tools/chromium.sh

engines:         ## PostgreSQL and Java, which the engines' tests need (Debian's, when there are none)
	@sh tools/engines.sh

numbers: $(VENV)/.tests  ## our statistics beside published numbers
	@$(BIN)/python -m tests.reference.table $(ARGS)

calibrate: $(VENV)/.tests  ## measured error rates and coverage
	@$(BIN)/python -m tests.reference.calibrate $(ARGS)

bench: $(VENV)/.tests  ## time and memory beside the floor and beside others
	@$(BIN)/python -m benchmarks $(only) $(BENCH_ARGS)

worlds: $(VENV)/.tests  ## how often the verdict is right, on worlds of known truth (ARGS=--help)
	@$(BIN)/python -m benchmarks.verdicts $(ARGS)

lock: $(VENV)/.tests  ## resolve both locks anew
	@$(PIP) uv
	$(BIN)/uv $(RESOLVE) --group build --upgrade -o requirements.lock
	$(BIN)/uv $(RESOLVE) --group dev --extra examples $(ENGINES) -c requirements.lock --upgrade -o requirements-dev.lock

clean:           ## remove what was made
	rm -rf $(VENV) demo screenshots build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
