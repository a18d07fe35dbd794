# Two commands matter: `make report` and `make test`. Both make the environment they need.

# The newest Python on the path that is 3.11 or later; `make PYTHON=... report` overrides.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && echo $$p && break; done)
VENV ?= .venv
VENV2 ?= .venv-pandas2
BIN = $(VENV)/bin
# Processes of the tests: a core each, but no more than four; TESTS_AT_ONCE=0 is one after another.
TESTS_AT_ONCE ?= $(shell $(BIN)/python -c 'import os; print(min(4, os.cpu_count() or 1))' 2>/dev/null || echo 2)
OUT ?= report
PIP = -m pip install --quiet --disable-pip-version-check --no-compile
# Where an environment keeps its packages; compiled by all cores, and without the packages' tests.
SITE = -c 'import sysconfig; print(sysconfig.get_path("purelib"))'
COMPILE = -m compileall -q -j 0 -x '[/\\]tests?[/\\]'

.PHONY: help report test test-pandas2 lint types sample notebooks wheel clean environment environment-pandas2

help:
	@echo "make report    report on the bundled synthetic sample, in $(OUT)/report.html"
	@echo "make test      every test;   make test-pandas2   the same under pandas 2.3, without the slow ones"
	@echo "make lint      ruff;   make types   mypy"
	@echo "make sample    regenerate data/sample"
	@echo "make notebooks open the notebooks in JupyterLab"
	@echo "make wheel     build the wheel in dist/"
	@echo "make clean     remove what these made"

$(VENV)/.installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: install it, or make PYTHON=/path/to/python report"; exit 1; }
	@echo "Making the environment in $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP) --editable '.[dev]'
	@$(BIN)/python $(COMPILE) "$$($(BIN)/python $(SITE))" || true
	@touch $@

environment: $(VENV)/.installed

# The other environment with pandas 2.3 in front of its own.
$(VENV2)/.installed: $(VENV)/.installed
	@echo "Making the environment with pandas 2.3 in $(VENV2) ..."
	@$(BIN)/python -m venv --clear $(VENV2)
	@echo "import site; site.addsitedir('$$($(BIN)/python $(SITE))')" \
	  > "$$($(VENV2)/bin/python $(SITE))/newest.pth"
	@$(VENV2)/bin/python $(PIP) 'pandas>=2.3,<2.4'
	@$(VENV2)/bin/python -c 'import pandas; assert pandas.__version__.startswith("2.3."), pandas.__version__'
	@touch $@

environment-pandas2: $(VENV2)/.installed

report: environment
	@$(BIN)/culture-analytics report sample --out $(OUT)

test: environment
	@$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --dist loadfile

# The oldest pandas that is supported, in an environment of its own: what reads, counts, protects
# and writes. Formulas on arrays, pictures, files and the simulation do not depend on pandas; a
# whole report under it is made from the wheel (.ci/run).
test-pandas2: environment-pandas2
	@$(VENV2)/bin/python -m pytest -n $(TESTS_AT_ONCE) --dist loadfile -m "not slow" \
	  $(addprefix --ignore tests/,stats plots read_published test_files.py test_laptops.py) \
	  $(addprefix --ignore tests/disclosure/test_,attacks.py audit.py exchanges.py suppress.py) \
	  $(addprefix --ignore tests/read/test_,compound.py damage.py fuzz.py properties.py) \
	  $(addprefix --ignore tests/,compare/test_false_flags.py sample/test_simulate.py)

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
	rm -rf $(VENV) $(VENV2) dist build $(OUT) .mypy_cache .ruff_cache .pytest_cache .hypothesis
