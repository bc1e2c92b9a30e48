# `make run` and `make test` set up everything they need; only git, make and python3 must be there.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: run serve test lint unit bench lock clean

run: $(READY)
	@exec $(BIN)/stayline serve $(if $(filter 0,$(DEMO)),,--demo)

serve: $(READY)
	@exec $(BIN)/stayline serve

test: lint unit

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# REQUIRE_REDIS: the journal suite must meet a real server, never skip it.
unit: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" REQUIRE_REDIS=1 $(BIN)/coverage run -m pytest
	$(BIN)/coverage report > $(VENV)/coverage.txt || { cat $(VENV)/coverage.txt; exit 1; }
	@tail -n 1 $(VENV)/coverage.txt
	$(BIN)/python tests/own.py

bench: $(READY)
	$(BIN)/python -m tests.bench

# Needs `uv`; users and CI only ever read the result.
lock:
	uv pip compile pyproject.toml --extra speech --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --output-file .ci/lock.txt

$(READY): .ci/lock.txt pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .ci/lock.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

clean:
	rm -rf $(VENV) var build *.egg-info
