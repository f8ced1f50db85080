# Two commands to start: `make feature` and `make test`. What they run is plain pip, kedro and
# pytest; the README lists it for people without make.

PYTHON ?= $(or $(shell command -v python3.11),python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# Nothing here phones home.
export DO_NOT_TRACK := 1
export HF_HUB_DISABLE_TELEMETRY := 1
# glibc keeps freed memory per thread: two arenas take a quarter off the peak of a long run (LOG.md).
export MALLOC_ARENA_MAX := 2

ARTICLES ?= data/01_raw/sample/articles.jsonl
POINTS ?= 100000

.DEFAULT_GOAL := help
.PHONY: help demo feature test check benchmark viz mlflow constraints clean

help:  ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
		echo "MoodSwarm needs Python 3.11; name yours with: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp per extra: the second call finds it newer than what it was made from, and does nothing.
$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing MoodSwarm into $(VENV) (once)"
	$(PIP) -e .
	@touch $@

$(VENV)/.%: $(VENV)/.core
	@echo "Installing the extra $* into $(VENV) (once)"
	$(PIP) -e ".[$*]"
	@touch $@

feature: $(VENV)/.core  ## Set up, import the sample corpus if the store is empty, make features
	@$(BIN)/moodswarm import --if-empty data/01_raw/sample/*.jsonl
	@$(BIN)/kedro run --pipeline=feature

demo: $(VENV)/.crawl  ## Set up, crawl a sample site on this machine, make features, search
	@$(BIN)/moodswarm demo

test: $(VENV)/.dev $(VENV)/.crawl $(VENV)/.server $(VENV)/.ray $(VENV)/.mlflow $(VENV)/.viz  ## Set up what tests need and run them
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev $(VENV)/.crawl $(VENV)/.server  ## Lint, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

benchmark: $(VENV)/.dev $(VENV)/.crawl $(VENV)/.server $(VENV)/.rivals  ## Measure speed; ARTICLES=path of your own articles
	@$(BIN)/python benchmarks/embedding.py --articles $(ARTICLES)
	@$(BIN)/python benchmarks/text.py --articles $(ARTICLES)
	@$(BIN)/python benchmarks/search.py --points $(POINTS)
	@$(BIN)/python benchmarks/retrieval.py --chunks $(POINTS)
	@$(BIN)/python benchmarks/llm.py
	@$(BIN)/python benchmarks/extraction.py
	@$(BIN)/python benchmarks/crawl.py
	@$(BIN)/python benchmarks/startup.py
	@$(BIN)/python benchmarks/memory.py

viz: $(VENV)/.viz  ## Show the pipelines in the browser
	@$(BIN)/kedro viz run

mlflow: $(VENV)/.mlflow  ## Compare runs in the browser
	@$(BIN)/kedro mlflow ui

constraints:  ## Resolve all extras anew into constraints.txt (needs uv)
	uv pip compile --all-extras --python-version 3.11 --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links pyproject.toml | sed -E 's/^(torch==[0-9.]+)\+.*/\1/' \
		> constraints.new
	(sed -n '/^#/p' constraints.txt; cat constraints.new) > constraints.tmp
	mv constraints.tmp constraints.txt && rm constraints.new

clean:  ## Remove what runs and tests left behind, but no data
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
