# Two commands matter: `make report` and `make test`. Both make the environment they need.

# The newest Python on the path that is 3.11 or later; `make PYTHON=... report` overrides.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && echo $$p && break; done)
VENV ?= .venv
BIN = $(VENV)/bin
OUT ?= report

.PHONY: help report test lint types sample notebooks wheel clean environment

help:
	@echo "make report    report on the bundled synthetic sample, in $(OUT)/report.html"
	@echo "make test      every test"
	@echo "make lint      ruff;   make types   mypy"
	@echo "make sample    regenerate data/sample"
	@echo "make notebooks open the notebooks in JupyterLab"
	@echo "make wheel     build the wheel in dist/"
	@echo "make clean     remove what these made"

$(VENV)/.installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: install it, or make PYTHON=/path/to/python report"; exit 1; }
	@echo "Making the environment in $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

environment: $(VENV)/.installed

report: environment
	@$(BIN)/culture-analytics report sample --out $(OUT)

test: environment
	@$(BIN)/python -m pytest

lint: environment
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: environment
	@$(BIN)/mypy

sample: environment
	@$(BIN)/python -m culture_analytics.simulate --out data/sample

notebooks: environment
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[notebooks]'
	@$(BIN)/jupyter lab notebooks

wheel: environment
	@rm -rf dist
	@$(BIN)/python -m build --wheel --sdist --outdir dist . >/dev/null
	@ls dist

clean:
	rm -rf $(VENV) dist build $(OUT) .mypy_cache .ruff_cache .pytest_cache .hypothesis
