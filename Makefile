# Set-up needs Python 3.11 or later, make, git and pip's usual way to its packages; no root, no compiler.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MODELS := smollm2-135m-instruct gemma3-270m

.PHONY: help setup setup-system setup-models compare screenshots test test-long check format lint types layers catalogue lock clean

help: ## show these targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(READY) ## make .venv with everything that Fieldguide and its tests use

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Fieldguide needs Python 3.11 or later; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

setup-system: ## install the Debian packages that some tests want (needs root)
	apt-get update -qq && apt-get install -y -qq chromium docker-registry espeak-ng

setup-models: setup ## fetch the two small real models, and Whisper base
	for model in $(MODELS); do $(BIN)/fieldguide pull $$model --accept-licence gemma || exit 1; done
	$(BIN)/fieldguide pull whisper-base

# Gemma 3 comes under Google's Gemma Terms of Use: https://ai.google.dev/gemma/terms
# By running this target you accept them: that is what --accept-licence says.
compare: setup ## the main job: compare two small real models and write report.html
	$(BIN)/fieldguide compare $(MODELS) --benchmark ladder --accept-licence gemma --report report.html

screenshots: setup ## draw every page of `fieldguide web` at both widths into screenshots/ (needs Chromium)
	$(BIN)/python tools/make_screenshots.py screenshots

test: setup ## run the tests
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

test-long: setup ## run the tests that take minutes too
	$(BIN)/python -m pytest -m "long or not long" --timeout 3600

check: setup lint types layers catalogue test ## everything that must hold before a commit

format: setup ## format the code
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

layers: setup
	$(BIN)/lint-imports

catalogue: setup ## check every derived and dated fact of the catalogue
	$(BIN)/python tools/check_catalogue.py

# Hashes pin every package; no address of an index is written, so that yours is used.
lock: ## write requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock

clean: ## remove what set-up made
	rm -rf $(VENV) report.html screenshots
