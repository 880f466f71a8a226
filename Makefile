# Needs a bare Python >= 3.11; everything else goes into .venv by itself.
PYTHON ?= python3
SECONDS ?= 20
# A file of tests in one process: its fixtures are made once.
FILES := --dist loadfile --no-loadscope-reorder
PARALLEL ?= -n 4  # more than cores: those with real processes wait a lot
EVENTS ?= 100000
VENV := .venv
# Half a second of every start, and of every file of tests, is the compiling that this would forget.
unexport PYTHONDONTWRITEBYTECODE
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RIVALS := elastik==8.3.0 rust-py-audit==0.4.2 audit-stream==0.1.0
RP2_STUBS := micropython-rp2-rpi-pico-w-stubs==1.29.0.post1
ESP32_STUBS := micropython-esp32-stubs==1.29.0.post1

help: ## what there is to make
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

demo: $(VENV)/run ## collector, gateway and devices, then verify both (SECONDS=20; 0 is until Ctrl-C)
	@$(BIN)/tallystick demo --seconds $(SECONDS)

test: $(VENV)/dev ## every test but the long campaigns (under 4 min)
	$(BIN)/python -m pytest $(PARALLEL) $(FILES) -m "not slow"

fast: $(VENV)/dev ## tests without sockets and processes (under 60 s)
	$(BIN)/python -m pytest -n auto $(FILES) -m "not slow and not integration"

cover: $(VENV)/dev ## every branch of the wire format and the ledger is tested
	$(BIN)/python -m pytest -q tests/protocol tests/gateway \
		--cov=protocol --cov=gateway.ledger --cov-branch --cov-report=term-missing --cov-fail-under=100

slow: $(VENV)/dev ## the long campaigns, seeded
	$(BIN)/python -m pytest -m slow -s

check: $(VENV)/dev typings/.made typings-esp32/.made ## lint, types, import contracts, vectors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file mypy-device.ini
	$(BIN)/mypy --config-file mypy-esp32.ini
	$(BIN)/lint-imports
	$(BIN)/python -m tests.make_vectors --check

bench: $(VENV)/dev .venv-compare/made ## figures, as ratios to yardsticks in the same run (6 min)
	$(BIN)/python -m tests.benchmarks

compare: $(VENV)/run .venv-compare/made ## attacks and speed of verify, beside three rivals from PyPI (4 min)
	@$(BIN)/python -m tests.compare --events $(EVENTS)

format: $(VENV)/dev ## put the code into its one layout
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what make made
	rm -rf $(VENV) .venv-compare typings typings-esp32 .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "tallystick needs Python 3.11 or later: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run: $(VENV)/made pyproject.toml
	@echo "installing what tallystick needs"
	@$(PIP) install --editable '.[simulate]'
	@touch $@

$(VENV)/dev: $(VENV)/run pyproject.toml
	@echo "installing the development tools"
	@$(PIP) install --editable '.[dev]'
	@touch $@

# Never in our environment: they bring other versions of what we use. Any Python from 3.11 does.
.venv-compare/made: Makefile
	@echo "making .venv-compare with $(RIVALS)"
	@$(PYTHON) -m venv .venv-compare
	@.venv-compare/bin/python -m pip --disable-pip-version-check --quiet install $(RIVALS)
	@touch $@

# Kept out of the environment: they would hide the standard library's own types.
typings/.made: $(VENV)/dev
	@$(PIP) install --no-user --upgrade --target typings $(RP2_STUBS)
	@touch $@

typings-esp32/.made: $(VENV)/dev
	@$(PIP) install --no-user --upgrade --target typings-esp32 $(ESP32_STUBS)
	@touch $@

.PHONY: help demo test fast cover slow check bench compare format clean
.DEFAULT_GOAL := help
