# How to run, test and tidy poeflask. Needs Python 3.11 or newer and make; nothing else.
#
#   make run      install what is needed, once, and serve on http://127.0.0.1:8080
#   make test     lint, check the types and run all tests
#   make clients  run other people's clients against poeflask, a part of the tests
#   make lint     lint and check the types only
#   make bench    measure what requests cost, beside nginx; takes some minutes
#   make profile  show where the time goes under one load; needs strace
#   make soak     ask everything of it for half an hour, with faults, and look for what is left
#   make fuzz     look for requests that break it, for five minutes
#   make lock     write down the exact packages to install, with their hashes
#   make sbom     list them in sbom.json, as CycloneDX
#   make audit    ask which of them have known holes; fails if nobody can be asked
#   make check    look for what would keep poeflask from working here
#   make clean    remove all that these made

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --quiet --disable-pip-version-check
SOURCES := setup.cfg pyproject.toml

.PHONY: help run test clients lint types style bench profile soak fuzz lock sbom audit check clean

help:
	@sed -n 's/^#   //p' Makefile

run: $(VENV)/installed
	@exec $(VENV)/bin/poeflask serve

test: lint
	@$(VENV)/bin/python -m tests.side_by_side

clients: $(VENV)/installed-for-tests
	POEFLASK_TEST_CLIENTS=1 $(VENV)/bin/python -m pytest -m clients

lint: $(VENV)/installed-for-tests
	@$(MAKE) --no-print-directory --jobs 2 types style

types: $(VENV)/installed-for-tests
	$(VENV)/bin/mypy

style: $(VENV)/installed-for-tests
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/bandit --quiet --ini setup.cfg --recursive poeflask wsgi.py

bench: $(VENV)/installed
	@$(VENV)/bin/python -m bench

profile: $(VENV)/installed
	@$(PIP) install 'py-spy>=0.4,<1'
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/python -m bench.profile

SOAK_MINUTES ?= 30
soak: $(VENV)/installed
	@$(VENV)/bin/python -m bench.soak --minutes $(SOAK_MINUTES)

FUZZ_SECONDS ?= 300
fuzz: $(VENV)/installed-for-tests
	FUZZ_SECONDS=$(FUZZ_SECONDS) $(VENV)/bin/python -m pytest tests/fuzz

lock: $(VENV)/with-lock-tools
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
	  --upgrade --output-file requirements.lock setup.cfg

sbom: $(VENV)/with-lock-tools
	$(VENV)/bin/uv tool run --quiet --from 'cyclonedx-bom>=7,<8' cyclonedx-py requirements \
	  --output-reproducible --output-format JSON --output-file sbom.json requirements.lock

audit: $(VENV)/with-lock-tools
	$(VENV)/bin/uv tool run --quiet 'pip-audit>=2.10,<3' --strict --disable-pip --require-hashes \
	  --requirement requirements.lock

check: $(VENV)/installed
	@$(VENV)/bin/poeflask check

clean:
	rm -rf $(VENV) build dist sbom.json *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# The files below are stamps: nothing is installed again until setup.cfg or pyproject.toml changes.

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "poeflask needs Python 3.11 or newer; '$(PYTHON)' is not. Name one: make PYTHON=python3.11" >&2; \
	  exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu: apt install python3-venv" >&2; \
	  rm -rf $(VENV); exit 1; }
	@touch $@

$(VENV)/installed: $(VENV)/made $(SOURCES)
	@echo "Installing poeflask into $(VENV), once ..."
	@$(PIP) install --editable .
	@$(VENV)/bin/python -m compileall -q poeflask
	@touch $@

$(VENV)/with-lock-tools: $(VENV)/made
	@$(PIP) install 'uv>=0.9,<1'
	@touch $@

# Compiled by all processors; what some packages bring as a template is no Python, and may stay.
$(VENV)/installed-for-tests: $(VENV)/made $(SOURCES)
	@echo "Installing poeflask and its test tools into $(VENV), once ..."
	@$(PIP) install --no-compile --editable '.[test]'
	@$(VENV)/bin/python -m compileall -qq -j 0 poeflask $(VENV)/lib || true
	@touch $@ $(VENV)/installed
