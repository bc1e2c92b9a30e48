# `make run` and `make test` set up everything they need; only git, make and python3 must be there.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: setup run serve test lint own aside planted tried tried-here mutants unit browser fast simulation bench compiled tree chaos lock sbom clean

run: $(READY)
	@exec $(BIN)/stayline serve $(if $(filter 0,$(DEMO)),,--demo)

# All that is needed to run, and nothing is started.
setup: $(READY)

serve: $(READY)
	@exec $(BIN)/stayline serve

# pytest comes last, so that its closing line is the last word.
test: lint own
	@$(MAKE) --no-print-directory -j 2 chaos aside
	@$(MAKE) --no-print-directory unit

# Chaos lives in real time and waits more than it works. What asks for no clock fills its pauses, and yields to it.
aside: $(READY)
	@nice -n 19 $(MAKE) --no-print-directory planted simulation tried

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.supply.floors

own: $(READY)
	$(BIN)/python tests/own.py

# Bugs planted in copies of the tree, one by one: the suites must catch every one.
planted: $(READY)
	$(BIN)/python -m tests.planted

# Small changes of the modules that hold the doors, one by one, each tried on those modules' own tests. Too long
# for `make test`: `make mutants MODULES="token signature"`.
mutants: $(READY)
	$(BIN)/python -m tests.mutants $(MODULES)

# What talks in real time comes last; it listens more than it works, so more workers than cores do.
REAL_TIME := tests/acceptance tests/session/test_tool_drops.py
AT_ONCE := -n 6 --dist loadfile $(addprefix --ignore=,$(REAL_TIME) tests/browser)

# Many seeds cover nothing that their examples don't (`own` holds them to it), and take three times as long
# while coverage looks on: they run without it.
SEEDED := $(shell grep -rl "mark\.seeds" tests --include="test_*.py")

# REQUIRE_REDIS: the journal suite must meet a real server, never skip it. Most tests wait more than they
# work, so there are more workers than cores.
unit: $(READY)
	@$(BIN)/coverage erase
	REQUIRE_PROMTOOL=$$(.ci/promtool && echo 1) REQUIRE_REDIS=1 .ci/twice $(BIN)/coverage run -m pytest -q $(AT_ONCE) -m "not seeds"
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report > $(VENV)/coverage.txt || { cat $(VENV)/coverage.txt; exit 1; }
	.ci/twice $(BIN)/python -m pytest -q -n 2 -m seeds $(SEEDED)
	@$(MAKE) --no-print-directory browser
	REQUIRE_REDIS=1 .ci/twice $(BIN)/python -m pytest -n 6 --dist load $(REAL_TIME)

# The pages in a real Chromium, which is installed where that may be done.
browser: $(READY)
	@.ci/browser
	REQUIRE_BROWSER=1 .ci/twice $(BIN)/python -m pytest -q -n 2 --dist loadfile tests/browser

# For a second Python: without what runs in real time, and what hardly asks which Python it is, as stores and the
# tools around the service.
AROUND := chaos commands hostile journal machines monitoring mutants planted simulation simulator supply testing
SAME_ANYWHERE := $(addprefix --ignore=tests/,test_house.py test_cards.py $(AROUND))
fast: $(READY)
	REQUIRE_REDIS=1 .ci/twice $(BIN)/python -m pytest -q $(AT_ONCE) $(SAME_ANYWHERE) -m "not seeds"

# Fleets on virtual time, one a seed: `make simulation SEEDS=100000 FIRST=0`. Half of the usual ones are plain,
# half have people and stolen tokens in them, too; from 10000000 on callers are asked for consent and key numbers
# under seal, of which pytest runs a few. The second half of each ten million runs on processors so busy that what is
# due falls together. Not in pytest: coverage would make them last twice as long.
simulation: $(READY)
ifneq ($(SEEDS)$(FIRST),)
	$(BIN)/python -m tests.simulation run --seeds $(or $(SEEDS),2000) --first $(or $(FIRST),19000)
else
	$(BIN)/python -m tests.simulation run --seeds 1200 --first 19400
	$(BIN)/python -m tests.simulation run --seeds 300 --first 5000000
	$(BIN)/python -m tests.simulation run --seeds 100 --first 15000000
endif

# A thousand drops over fifty calls: about three minutes. Its files lie in memory where they can: a kill takes
# nothing from a file, and what else goes on on a shared disk is not the question.
chaos: $(READY)
	TMPDIR=$(or $(wildcard /dev/shm),/tmp) $(BIN)/stayline chaos --calls 50 --drops 1000 --seed 1 --kill-every 50

# A wheel whose frame path is C, made of the same source: in build/compiled.
compiled: $(READY)
	@rm -rf build/compiled
	@$(BIN)/python -m tests.supply.compiled
	@ls build/compiled/*.whl

# That wheel beside its tests. `cd build/compiled/tree` and all that is run there runs on it.
TREE := build/compiled/tree
IN_TREE = cd $(TREE) && PYTHONPATH=$(abspath $(TREE)) $(1) $(abspath $(BIN))/python
tree: compiled
	@mkdir -p $(TREE)
	@cp -r pyproject.toml tests fixtures $(TREE)
	@$(BIN)/python -m zipfile -e build/compiled/*.whl $(TREE)

# What is compiled must pass the tests of what is not. Where nothing can be compiled, that is said.
COMPILED := tests/protocol tests/session tests/speech tests/web/stream tests/wire
tried: $(READY)
	@! $(BIN)/python -m tests.supply.compiled --ask || $(MAKE) --no-print-directory tried-here

tried-here: tree
	$(call IN_TREE,$(abspath .ci/twice)) -m pytest -q $(AT_ONCE) -m "not seeds" $(COMPILED)
	$(call IN_TREE) -m tests.simulation run --seeds 300 --first 40000

bench: $(READY)
	$(BIN)/python -m tests.bench

# Needs `uv`; users and CI only ever read the result.
lock:
	uv pip compile pyproject.toml --extra speech --extra brains --extra otel --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --output-file .ci/lock.txt

# The software bill of materials, CycloneDX: what an installation runs on.
sbom: $(READY)
	$(BIN)/python -m tests.supply.bom > sbom.json

$(READY): .ci/lock.txt pyproject.toml
	@echo "Setting up $(VENV): about a minute, most of it downloads."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r .ci/lock.txt
	@$(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

clean:
	rm -rf $(VENV) var build *.egg-info
