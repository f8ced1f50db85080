# Start with `make feature` or `make test`. They run plain pip, kedro and pytest; the README lists
# the commands for people without make.

PYTHON ?= $(or $(shell command -v python3.11),python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# No tool may phone home.
export DO_NOT_TRACK := 1
export HF_HUB_DISABLE_TELEMETRY := 1
# glibc keeps freed memory per thread. Limiting it to two arenas lowers the peak of a long run by a
# quarter (LOG.md).
export MALLOC_ARENA_MAX := 2

ARTICLES ?= data/01_raw/sample/articles.jsonl
POINTS ?= 100000

.DEFAULT_GOAL := help
.PHONY: help demo feature test check benchmark viz mlflow constraints clean

help:  ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
		echo "MoodSwarm needs Python 3.11. Name yours with: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# One stamp file per extra. It is newer than the files it depends on, so a second call does nothing.
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

test: $(VENV)/.dev $(VENV)/.crawl $(VENV)/.server $(VENV)/.ray $(VENV)/.mlflow $(VENV)/.viz  ## Install what the tests need and run them
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev $(VENV)/.crawl $(VENV)/.server  ## Check style, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

benchmark: $(VENV)/.dev $(VENV)/.crawl $(VENV)/.server $(VENV)/.rivals  ## Measure speed; ARTICLES=path uses your own articles
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

constraints:  ## Resolve all extras again into constraints.txt (needs uv)
	uv pip compile --all-extras --python-version 3.11 --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links pyproject.toml | sed -E 's/^(torch==[0-9.]+)\+.*/\1/' \
		> constraints.new
	(sed -n '/^#/p' constraints.txt; cat constraints.new) > constraints.tmp
	mv constraints.tmp constraints.txt && rm constraints.new

clean:  ## Remove caches and build output, but no data
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
