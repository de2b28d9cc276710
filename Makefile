# Everything that a contributor runs. A new machine needs Python 3.11 or newer and make: each
# target creates .venv itself and installs what it needs, from the versions and digests in
# requirements/*.lock, and again when one of them or pyproject.toml changes.

# The interpreter of a new .venv: the first of these that is new enough. To choose another:
# make distclean test PYTHON=python3.13
PYTHONS = python3.11 python3 python3.12 python3.13 python3.14
PYTHON ?= $(PYTHONS)

# Which tests, and in how many processes. A file stays in one process, so that its servers start
# once. There is one process more than there are cores, because some always wait. The order is
# random: a run prints its seed, and PYTEST_ADDOPTS=--randomly-seed=N repeats it.
# One file by itself: make test TESTS=tests/test_normalize.py JOBS=0
# COVERAGE=1 measures what the tests reach, and fails if it is too little.
TESTS ?= tests
COVERAGE ?=
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST = $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

DOCKER ?= docker

BIN = .venv/bin
PIP_INSTALL = pip --disable-pip-version-check --no-input install -qq

# Nothing is resolved here: a lock file names everything that is installed, so that any pip
# installs the same versions, whatever was released since.
INSTALL_LOCKED = $(PIP_INSTALL) --no-deps --require-hashes

# What each target needs: .venv/.installed is this tree with the lock files of DEMO, .venv/.NAME is
# requirements/NAME.lock.
DEMO = runtime sandbox install
TEST = $(DEMO) postgres parquet otel test
READY = .venv/.installed
locked = $(patsubst %,.venv/.%,$(1))

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# Every target whose name is a word is a command, not a file.
.PHONY: $(shell awk -F: '/^[a-z][a-z-]*:/ { print $$1 }' $(firstword $(MAKEFILE_LIST)))

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(READY)  ## deliver a sample to a sandbox on this machine and show its outcomes
	@$(BIN)/pinterest-capi demo

test: $(READY) $(call locked,$(TEST))  ## run the quick tests: two minutes on two cores
	@$(PYTEST) -m "not slow" $(if $(COVERAGE),--cov --cov-report=) $(TESTS)

test-rest: $(READY) $(call locked,$(TEST))  ## run the tests that take minutes or need a service; they are skipped if it is missing
	@$(PYTEST) -m slow $(TESTS)

coverage:  ## run the quick tests and print their coverage of lines and branches
	@$(MAKE) test COVERAGE=1

# The tests that depend on time: ages of events, time zones, files named after a day, and the
# programs as users run them.
CLOCK_TESTS = $(addprefix tests/test_, check.py coerce.py credentials.py demo.py eqs.py event_times.py functions.py preview.py \
	progress.py replay.py report_file.py target.py)

test-clock: $(READY) $(call locked,$(TEST))  ## run the tests that depend on time at the end of a leap day, and at a clock change
	@$(BIN)/python tools/clock.py $(PYTEST) -m "not slow" $(CLOCK_TESTS)

# A test with a date that becomes too old fails here before it fails for everyone. Tests that start
# programs with an environment of their own, such as those with Meltano, are not moved.
DAYS ?= 61

test-later: $(READY) $(call locked,$(TEST))  ## run the quick tests, and those of Spark, as if it were two months later: DAYS=61
	@$(BIN)/python tools/clock.py --days $(DAYS) $(PYTEST) -m "spark or not slow" $(TESTS)

setup: $(READY) $(call locked,$(TEST) types lint build hooks site)  ## install everything that the targets need, except Spark

spark: $(READY) $(call locked,$(TEST) spark)  ## install the packages for the Spark tests, 450 MB; they also need Java 17 or newer

# One test per seed, with and without a ledger; `make test-rest` runs a short one. It prints the
# result of each.
SEEDS ?= 1 2 3
RECORDS ?= 100000
INTERRUPTIONS ?= 40

chaos: $(READY) $(call locked,$(TEST))  ## deliver through every fault, kill -9 and signals: SEEDS="1 2 3" RECORDS=100000 INTERRUPTIONS=40
	@CHAOS_SEEDS="$(SEEDS)" CHAOS_RECORDS=$(RECORDS) CHAOS_INTERRUPTIONS=$(INTERRUPTIONS) $(BIN)/python -m pytest -o log_cli=true -o log_cli_level=INFO tests/chaos

# One simulated world per seed: whole runs with simulated time, network, disk and crashes. SEED=7
# repeats one, and prints what happened.
FIRST ?= 1

simulate: SEEDS = 10000
simulate: $(READY) $(call locked,$(TEST))  ## run whole pipelines in simulated worlds: SEEDS=100000, or SEED=7 to repeat one
	@PYTHONPATH=tests $(BIN)/python -m simulation $(if $(SEED),$(SEED),$(FIRST) $(SEEDS))

# Mutated lines, configurations and responses: `make test` tries some hundreds, this some tens of
# thousands.
FUZZ ?= 5

fuzz: $(READY) $(call locked,$(TEST))  ## mutate all outside input for a few minutes: FUZZ=50 for an hour
	@HYPOTHESIS_PROFILE=full FUZZ=$(FUZZ) $(BIN)/python -m pytest -q -n $(JOBS) --dist load tests/test_fuzz.py

test-all: lint types spark  ## run every check and every test; tests that need a missing service fail
	@REQUIRE_SERVICES=1 HYPOTHESIS_PROFILE=full $(MAKE) test test-rest fuzz

ci: test-all

lint: python current workflows scripts meltano tree changelog locks  ## check the code, the workflows, the scripts and the other files

python: $(READY) .venv/.lint
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "The files above are not formatted: make format"; exit 1; }
	@found=$$($(BIN)/deptry --no-ansi target_pinterest_capi 2>&1) || { echo "$$found"; exit 1; }

current: $(READY)
	@$(BIN)/python -m tools.documentation --check

docs: $(READY)  ## update generated files: references, .env.example, meltano.yml, hub/
	@$(BIN)/python -m tools.documentation

workflows: .venv/.lint
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/actionlint -color=false .github/workflows/*.yml
	@found=$$($(BIN)/zizmor --offline --no-progress --quiet --pedantic --strict-collection .github) || { echo "$$found"; exit 1; }

scripts: .venv/.lint
	@$(BIN)/shellcheck .ci/run .ci/install .ci/image

# Uses Meltano's own schema of a project, which includes the plugin's definition, and Hub's rules
# for its entry. For the other checks of Hub's CI see tests/test_hub.py.
meltano: .venv/.lint
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.meltano \
		meltano.yml docs/cookbook/*/meltano.yml tests/real/project/meltano.yml
	@$(BIN)/yamllint --strict --config-file .ci/hub-yamllint.yml hub

tree: $(READY)
	@$(BIN)/python tools/tree.py

changelog: $(READY)
	@$(BIN)/python tools/changelog.py $(TAG)

# In CI every package must be installed, because only then its own requirements are known.
locks: .venv/.lint
	@$(BIN)/python tools/locks.py check $(if $(CI),--all)

# Exit code 1 if something changed. To keep the changes: .venv/bin/python tools/api_facts.py FILE
drift: $(READY)  ## compare a newer OpenAPI description of Pinterest's with the one we keep: FILE=openapi.yaml
	@test -n "$(FILE)" || { echo "Name it: make drift FILE=openapi.yaml, from https://github.com/pinterest/api-description" >&2; exit 2; }
	@$(BIN)/python tools/api_facts.py --drift "$(FILE)"

format: .venv/.lint  ## format the code, and fix what ruff can fix safely
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

types: $(READY) $(call locked,types site)  ## check the types of the package and of tools/
	@$(BIN)/mypy --strict --no-error-summary

# uv only creates the lock files, and is not part of them.
UV_VERSION = 0.13.9

lock: .venv/.lint  ## update the lock files to pyproject.toml and the tests' taps; UPGRADE=1 uses the newest versions
	@$(BIN)/$(PIP_INSTALL) uv==$(UV_VERSION)
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/locks.py compile $(if $(UPGRADE),--upgrade)

hooks: $(READY) $(call locked,lint types hooks)  ## run the quick checks before each commit
	@$(BIN)/pre-commit install

site: $(READY) .venv/.site  ## build the documentation as a site in build/site, and check every link
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

build: $(READY) .venv/.build  ## build the wheel and the source archive in dist/, and check their metadata
	@rm -rf dist
	@said=$$($(BIN)/python -m build --no-isolation --outdir dist . 2>&1) || { echo "$$said"; exit 1; }
	@$(BIN)/twine --no-color check --strict dist/*

test-wheel: build test-built  ## install the wheel by itself and run the tests against it

# The package is removed from the copy, so that the tests can only import the wheel. Run by itself,
# this target tests the wheel that is already in dist/, which is the one to be published.
test-built: $(BIN)/python
	@rm -rf .venv-wheel && $(BIN)/python -m venv .venv-wheel
	@for name in $(TEST); do .venv-wheel/bin/$(INSTALL_LOCKED) -r requirements/$$name.lock || exit 1; done
	@.venv-wheel/bin/$(PIP_INSTALL) --no-deps dist/*.whl
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT \
	&& tar -cf - --exclude='./.git' --exclude='./.venv*' --exclude='./target_pinterest_capi' --exclude='__pycache__' . | tar -xf - -C "$$copy" \
	&& cd "$$copy" && "$(CURDIR)/.venv-wheel/bin/python" -m pytest -n $(JOBS) --dist loadfile $(TESTS)

image: $(READY)  ## build and try the container image, with Docker or DOCKER=podman
	@DOCKER="$(DOCKER)" .ci/image "$$($(BIN)/hatchling version)"

# pip-audit has its own environment: otherwise it would add thirty packages to the lock file that
# nothing else needs.
PIP_AUDIT_VERSION = 2.10.1

audit: $(BIN)/python  ## look up every version in the lock files in the advisory database; needs a network
	@rm -rf .venv-audit && $(BIN)/python -m venv .venv-audit
	@.venv-audit/bin/$(PIP_INSTALL) pip-audit==$(PIP_AUDIT_VERSION)
	@.venv-audit/bin/pip-audit --require-hashes --disable-pip --strict --progress-spinner off \
		$(foreach lock,$(wildcard requirements/*.lock),-r $(lock))

# For Spark, after `make spark`: make bench BENCH=spark
# More: make bench BENCH='--only ledger --rounds 3', BENCH=stages, BENCH=profile, BENCH=plots;
# --record also writes docs/performance.md.
bench: $(READY) $(call locked,$(TEST))  ## compare the target's speed with a floor, the SDK and a peer; takes minutes
	@$(BIN)/python -m benchmarks $(BENCH)

clean:  ## remove everything that the other targets created, except .venv
	@rm -rf dist build htmlcov .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.* .venv-wheel .venv-audit
	@find . -path ./.venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## remove .venv too
	@rm -rf .venv

$(BIN)/python:
	@for python in $(PYTHON); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
		echo "Python 3.11 or newer is needed, but none of these is that new: $(PYTHON). Install it, or name it: make PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi; \
	echo "Setting up .venv with $$("$$found" --version), once"; \
	"$$found" -m venv .venv || { rm -rf .venv; exit 1; }

.venv/.%: requirements/%.lock $(BIN)/python
	@$(BIN)/$(INSTALL_LOCKED) -r $<
	@touch $@

$(READY): $(call locked,$(DEMO)) pyproject.toml
	@$(BIN)/$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/pip --disable-pip-version-check check >/dev/null || { $(BIN)/pip check; echo "requirements/ is behind pyproject.toml: make lock" >&2; exit 1; }
	@touch $@
