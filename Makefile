# make demo   the main job on a clip made on the spot, with its error in mm
# make test   lint, types, tests
# Each makes the environment it needs in .venv first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# uv is quick but does not read pip's configuration: hand over its folder of local wheels.
LOCAL := $(shell $(PYTHON) -m pip config get global.find-links 2>/dev/null)
WHEELS := $(if $(LOCAL),--find-links $(LOCAL))

.PHONY: setup demo test lint types unit audit clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -c "import sys; sys.exit('humans4d needs Python 3.10 or newer, this is ' + sys.version.split()[0] if sys.version_info < (3, 10) else 0)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --compile-bytecode --python $(BIN)/python $(WHEELS) -e '.[all,dev]' \
		|| $(BIN)/python -m pip install -e '.[all,dev]'
	$(BIN)/python -m compileall -q pipeline stages
	touch $@

demo: setup
	$(BIN)/humans4d demo

test: lint types unit

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

unit: setup
	$(BIN)/python -m pytest

# Known weaknesses of what is installed; says so where no database can be reached.
audit: setup
	$(BIN)/python -m benchmarks.audit $(AUDIT)

clean:
	rm -rf $(VENV) build *.egg-info
