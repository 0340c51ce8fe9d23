# `make run` is all a new machine needs; `make` alone lists the rest.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo -n)

# Two test processes keep two cores busy: more threads in each only wait for one another.
ONE_THREAD := POLARS_MAX_THREADS=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

# Processes that import the same packages compile them once, although the environment may forbid it.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help run test pytest torture benchmark lint format docs clean browser

help:  ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

run: .venv/run.stamp  ## score the sample if that is not done yet, then open the dashboard
	@$(BIN)/python -m lo2core demo
	@$(BIN)/python -m lo2core dashboard

# The type checker needs one core for half a minute, so it runs beside the tests.
test: .venv/dev.stamp browser  ## lint, types and all tests, the browser's too
	@$(MAKE) --no-print-directory -j 2 lint pytest

pytest:
	@$(ONE_THREAD) $(BIN)/python -m slipcover --immediate -m pytest -n 2 --dist loadfile --no-loadscope-reorder
	@sed -n 's/^(summary).* \([0-9]*\)$$/Coverage of the core, without lo2core.ui: \1 % of all lines; see coverage.txt./p' coverage.txt

torture: .venv/dev.stamp browser  ## kills, full disks, stops, malformed inputs, browsers: an hour, then the figures
	@PYTHONPATH=tests $(BIN)/python -m torture.run

benchmark: .venv/run.stamp  ## CPU time and memory of the commands; fails if one became 15 % slower
	@$(BIN)/python demo/benchmark.py

lint: .venv/dev.stamp  ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: .venv/dev.stamp  ## let ruff rewrite what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: .venv/dev.stamp  ## build the documentation, with an API reference, into site/
	@$(BIN)/python docs/build_site.py

clean:  ## remove the environment and caches; data and models stay
	@rm -rf .venv build site coverage.txt *.egg-info .pytest_cache .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The browser tests drive Debian's Chromium. Continuous integration must not skip them.
browser:
	@command -v chromium-headless-shell >/dev/null 2>&1 || { \
		echo "Installing Chromium for the browser tests ..."; \
		{ $(AS_ROOT) apt-get update -qq && \
		  $(AS_ROOT) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell; \
		} >/dev/null 2>&1; } || command -v chromium >/dev/null 2>&1 || [ "$$CI" != true ] || \
		{ echo "The browser tests need chromium-headless-shell, and apt-get could not install it: install it by hand."; exit 1; }

.venv/run.stamp: requirements.txt constraints.txt pyproject.toml
	$(call install,.)
	@touch $@

# In one go, for a fresh clone, and without compiling all of every package, of which the tests need a small part: each
# saves twenty seconds.
.venv/dev.stamp: requirements.txt constraints.txt pyproject.toml
	$(call install,.[dev],--no-compile)
	@touch .venv/run.stamp $@

define install
	@[ -n "$(PYTHON)" ] || { echo "lo2core needs Python 3.11 or newer, and none was found: install one, then repeat."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) has no venv module: install it (on Debian: apt-get install python3-venv), then repeat."; exit 1; }
	@echo "Preparing the environment in .venv (once, a minute or two) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check $(2) -c constraints.txt -e '$(1)'
endef
