# `make run` starts the explorer, `make test` runs the tests, `make quick` most of them, `make check` all checks;
# each installs what it needs first.
PYTHON ?= python3
VENV ?= .venv
DOCS_VENV ?= .venv-docs
BIN := $(VENV)/bin
# Two workers, each of which computes on one core; the one that is done first takes tests from the other. Three take longer.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

.PHONY: run test quick thorough check check-js docs screenshots social-picture install install-dev browser lock clean

run: $(VENV)/.run
	@$(BIN)/python -m legr app

test: $(VENV)/.dev browser
	$(PYTEST)

# Most tests, in about a minute: those that take seconds are marked `slow`.
quick: $(VENV)/.dev
	$(PYTEST) -m "not slow and not thorough" -p no:hypothesispytest

# Proofs of large networks and the longest ways, which the others leave out: some minutes.
thorough: $(VENV)/.dev
	$(PYTEST) -m thorough

check: $(VENV)/.dev browser check-js
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST)

# The scripts of the budget dial: their form, their types, and the tests of what they compute.
check-js: node_modules/.installed
	npm run --silent check

# The site, in `site/`; warnings are errors.
docs: $(DOCS_VENV)/.docs
	$(DOCS_VENV)/bin/zensical build --clean --strict

screenshots: $(VENV)/.dev browser
	$(BIN)/python -m tests.browser.screenshots

# The picture at the top of the README, of Explore as it is.
social-picture: $(VENV)/.dev browser
	$(BIN)/python -m tests.browser.social_picture

install: $(VENV)/.run
install-dev: $(VENV)/.dev

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed; name one with: make PYTHON=python3.12 run" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(BIN)/python
	@echo "Installing packages (a minute or two, once)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.run

$(DOCS_VENV)/.docs: requirements-docs.txt
	$(PYTHON) -m venv $(DOCS_VENV)
	$(DOCS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.txt
	@touch $@

node_modules/.installed: package.json package-lock.json
	@command -v npm >/dev/null || \
		{ echo "npm is needed for the checks of the browser files; install Node.js 20 or later" >&2; exit 2; }
	npm ci --no-audit --no-fund --silent
	@touch $@

# The browser test drives a Chromium: the system's, else Debian's package, else Playwright's own.
browser: | $(VENV)/.dev
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
		$(BIN)/python -m playwright install chromium || \
		echo "No Chromium could be installed: the browser test will be skipped" >&2

# Notes the versions that are installed here, with which the tests have just run, in requirements-lock.txt.
lock: $(VENV)/.dev
	$(BIN)/python .ci/lock.py

clean:
	rm -rf $(VENV) $(DOCS_VENV) node_modules
