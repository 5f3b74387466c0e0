# Every target sets up first what it needs; setting up again costs a moment. The set-up itself is .ci/setup.
.DEFAULT_GOAL := help
.PHONY: help setup test slow demo check audit bench lock
BIN := .venv/bin

help:  ## print this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile

setup:  ## create .venv with the pinned packages, and find or install Chromium
	@.ci/setup

# Three files at a time keep two processors busy; in their order, which has those that wait for browsers first.
# ARGS="-n0 -s" runs them one after the other and shows what they print.
test: only := not slow
test:  ## run the tests but the slow ones; ARGS="tests/pure -x" goes to pytest
test slow:
	@.ci/setup tests
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder -m "$(only)" $(ARGS)

# Those that keep a Chromium busy for many seconds; a release needs them, and so does a change of what they show.
slow: only := slow
slow:  ## run the slow tests

demo: setup  ## watch a browser buy two things in the demo shop, and read the tape of it
	$(BIN)/tapewright demo $(ARGS)

check: setup  ## lint, format, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# A vulnerability fails it. Advisories that cannot be had do not, so that it can run offline; it says so then.
audit: setup  ## compare the pinned packages with the known vulnerabilities
	@$(BIN)/python .ci/audit $(ARGS)

# What has no main part is there to be imported by the scripts.
bench: setup  ## run every script in bench/, one after the other
	@set -e; for script in $$(grep -l __main__ bench/*.py); do \
	    echo "== $$script"; $(BIN)/python "$$script"; \
	done

# Keeps the versions that are locked where they still fit; `make lock ARGS=--upgrade` takes the newest ones.
# The image has the same versions, of what a service needs alone.
# The last line holds the rule that a lock names versions and hashes, and no place to fetch them from.
lock:  ## write the two lock files anew from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv on the PATH: pip install uv" >&2; exit 1; }
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	    --no-annotate --no-header --quiet -o requirements.lock $(ARGS)
	uv pip compile pyproject.toml --extra recordings --universal --python-version 3.11 --generate-hashes \
	    --constraint requirements.lock --no-annotate --no-header --quiet -o requirements-image.lock
	@! grep -n '://' requirements.lock requirements-image.lock
