# The operator's face of pnlbook: `make` alone lists the targets.

BIN  := .venv/bin
BOOK ?= book.duckdb
DEMO := demo.duckdb

# The newest Python that will do, one that can make virtual environments before one that cannot.
PYTHON ?= $(shell for able in 'import ensurepip, venv' 'pass'; do \
    for p in python3.13 python3.12 python3.11 python3; do \
      "$$p" -c "import sys; $$able; sys.exit(sys.version_info < (3, 11))" 2>/dev/null \
        && { echo "$$p"; exit; }; done; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test lab load backup verify restore bench check format lock clean \
        static lint types imports notebooks need-src need-book system-browser demo-book

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: demo-book ## set up everything and open the P&L report on the sample book (HEADLESS=1: no browser)
	@$(BIN)/pnlbook report profit --book $(DEMO) $(if $(filter-out 0 no false,$(HEADLESS)),--headless) $(ARGS)

test: .venv/.ready system-browser ## set up everything and pass every test (ARGS='-k name' chooses)
	@$(BIN)/pytest -n 2 $(ARGS)

lab: demo-book ## open the walkthrough in JupyterLab on the sample book
	@PNLBOOK_BOOK=$(CURDIR)/$(DEMO) $(BIN)/jupyter lab --ServerApp.ip=127.0.0.1 $(ARGS) notebooks/walkthrough.ipynb

load: need-src .venv/.ready ## load files of your own: make load SRC='earnings.csv costs/' [BOOK=book.duckdb]
	@$(BIN)/pnlbook init $(BOOK)
	@$(BIN)/pnlbook load $(SRC) --book $(BOOK) $(ARGS)

backup: need-book ## back up the book, encrypted, to its vaults [BOOK=book.duckdb] (the first time: keys new)
	@$(BIN)/pnlbook backup create --book $(BOOK) $(ARGS)

verify: need-book ## fetch every copy of every backup back and compare it
	@$(BIN)/pnlbook backup verify --book $(BOOK) $(ARGS)

restore: .venv/.ready ## bring a backup back: make restore [ID=full-2026…] [TO=new.duckdb]
	@$(BIN)/pnlbook backup restore $(ID) --book $(BOOK) $(if $(TO),--to $(TO)) $(ARGS)

bench: .venv/.ready ## measure loading and macros on this machine
	@$(BIN)/python -m bench $(ARGS)

check: static test ## the whole loop: format, lint, types, imports, notebooks, tests

format: .venv/.ready ## format the code and mend what the linter can mend
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

lock: ## resolve requirements.lock anew from pyproject.toml
	@.ci/system-packages venv "$(PYTHON)"
	@$(PYTHON) -m venv --clear .venv-lock
	@.venv-lock/bin/pip install -qq uv
	@.venv-lock/bin/uv pip compile pyproject.toml --group build --all-extras --upgrade \
	    --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command "make lock" --quiet --output-file requirements.lock
	@rm -rf .venv-lock

clean: ## remove the environment, the caches and the sample book
	@rm -rf .venv .venv-lock dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@rm -f $(DEMO) $(DEMO).wal
	@find . -path ./.git -prune -o -name __pycache__ -prune -exec rm -rf {} +

static: lint types imports notebooks

lint: .venv/.ready
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted; 'make format' mends it." >&2; exit 1; }
	@$(BIN)/ruff check --quiet .

types: .venv/.ready
	@$(BIN)/mypy

imports: .venv/.ready
	@$(BIN)/lint-imports --no-logo

notebooks: .venv/.ready
	@$(BIN)/marimo --quiet check --strict notebooks/*.py

demo-book: .venv/.ready
	@$(BIN)/pnlbook demo $(DEMO)

need-book: .venv/.ready
	@test -e $(BOOK) || { echo "There is no $(BOOK); name the book: make $(MAKECMDGOALS) BOOK=..." >&2; exit 2; }

need-src:
	@test -n "$(strip $(SRC))" || { echo "Say what to load: make load SRC=earnings.csv" >&2; exit 2; }

# Not beside the setup: it too may install a system package, and apt takes one at a time.
system-browser: | .venv/.ready
	@.ci/system-packages browser

# What is installed: exactly the lock, made anew only when the lock changes.
.venv/.locked: requirements.lock
	@.ci/system-packages venv "$(PYTHON)"
	@echo "Setting up .venv with $$($(PYTHON) --version) (about a minute, once)" >&2
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install -qq --require-hashes -r requirements.lock
	@touch $@

# And pnlbook itself, as it stands in src.
.venv/.ready: .venv/.locked pyproject.toml
	@$(BIN)/pip install -qq --no-deps --no-build-isolation -e .
	@touch $@
