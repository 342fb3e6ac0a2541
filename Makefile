# Everything runs in .venv, which is made on first use and again when the dependencies change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A process of pytest a core; each holds torch, which takes a gigabyte.
PARALLEL ?= -n logical --maxprocesses 4 --dist worksteal

.PHONY: quickstart test test-slow lint format bench docs install clean

quickstart: $(READY)  ## train on procedural pictures, validate, export: a few minutes
	$(BIN)/python train.py

test: lint  ## ruff, mypy and the quick tests
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

test-slow: $(READY)  ## the slow tests alone
	$(BIN)/python -m pytest $(PARALLEL) -m slow

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## figures, never pass or fail
	$(BIN)/python -m benchmarks

# Two packages warn of the future of MkDocs at every start; the variables say that it was read.
docs: $(READY)  ## the documentation, to build/site/index.html
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true \
		$(BIN)/python -m mkdocs build --strict --quiet

install: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "sscd needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]" --constraint constraints.txt
	touch $(READY)

clean:
	rm -rf $(VENV) runs build dist .mypy_cache .pytest_cache .ruff_cache
