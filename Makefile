# Everything a person or CI runs. Needs Python 3.11 or later, git and make; the rest is installed into .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# Tests wait as much as they compute: for PostgreSQL, a browser, a hub of their own.
TESTERS = $(shell $(BIN)/python -c 'import os; print(2 * (os.cpu_count() or 1))')
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.PHONY: install run demo test lint format bench lock translations docs clean

install: $(VENV)/.installed  ## what the hub needs to run

run: install  ## start everything, with a guided demo, on http://127.0.0.1:8000
	$(BIN)/hub up --demo

demo: install  ## the guided demo without a browser; fails unless everything arrived
	$(BIN)/hub demo

test: $(VENV)/.installed-dev  ## lint, types, import rules, and all tests on SQLite and PostgreSQL
	$(BIN)/python tests/browser/install.py
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n $(TESTERS) --dist loadfile -m "not faults"
	$(BIN)/python -m pytest -m faults

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev  ## measure, as ratios against bare baselines in the same run
	$(BIN)/python -m benchmarks

lock: $(VENV)/.installed-dev  ## resolve the newest allowed versions anew
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --upgrade --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --upgrade --extra dev --constraints requirements.lock --output-file requirements-dev.lock

translations: $(VENV)/.installed-dev  ## collect the sentences of the pages, and compile their French
	cd hub/web && $(CURDIR)/$(BIN)/pybabel -q extract -F babel.cfg --omit-header --no-location --sort-output -o translations.pot .
	$(BIN)/pybabel -q update -i hub/web/translations.pot -d hub/web/translations --no-fuzzy-matching --ignore-obsolete \
		--ignore-pot-creation-date -w 110
	$(BIN)/pybabel -q compile -d hub/web/translations
	rm hub/web/translations.pot

docs: $(VENV)/.installed  ## write docs/connectors anew, from what the connectors declare
	$(BIN)/hub connectors docs

clean:
	rm -rf $(VENV) build data

$(VENV)/.installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: install it, or say make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed, $(PYTHON) is older."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what the hub needs (about a minute the first time) …"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps -e .
	@$(BIN)/python -m compileall -q hub connectors  # workers fork and commands start often, also where Python may keep no bytecode
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@echo "Installing what the tests need (about two minutes the first time) …"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
