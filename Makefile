# Every target works as the first command on a machine with Python 3.11+, git and make.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
# Tests wait for processes much of their time: four workers keep two cores busy.
PYTEST_ARGS ?= -n 4 --dist worksteal

.PHONY: setup try test lint types contracts tests format lock bench screenshots clean

setup: $(VENV)/ready

$(VENV)/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "pairloop needs Python 3.11 or newer; none was found on PATH. Set PYTHON=/path/to/python." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "This Python cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	@# The lock has all that is needed, and what is installed is compiled by all cores below.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib agent_core tui || true
	@touch $@

try: setup
	@$(BIN)/pairloop try

# Two at a time: the types are checked while the first tests run.
test: setup
	@$(MAKE) --no-print-directory -j2 lint types contracts tests

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports

tests: setup
	@# In a fresh clone each worker would rewrite the assertions of all the tests: once is a third of the time.
	@test -n "$$PYTHONDONTWRITEBYTECODE" || test -d tests/__pycache__ || $(BIN)/pytest --collect-only -qq >/dev/null || true
	$(BIN)/pytest $(PYTEST_ARGS)

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Needs uv and network; pins every dependency with its hashes.
lock:
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-header --no-annotate --upgrade -o requirements.lock

bench: setup
	$(BIN)/python tests/bench/first_paint.py
	$(BIN)/python tests/bench/patching.py
	$(BIN)/python tests/bench/verdicts.py
	$(BIN)/python tests/bench/screen.py
	$(BIN)/python tests/bench/watching.py
	$(BIN)/python tests/bench/soak.py
	$(BIN)/python tests/bench/overhead.py
	$(BIN)/python tests/bench/interrupting.py
	$(BIN)/python tests/bench/interleavings.py

screenshots: setup
	$(BIN)/python screenshots/make.py
	$(BIN)/python screenshots/record.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
