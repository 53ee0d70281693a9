# The words a newcomer would guess. Everything happens in .venv, built from requirements.lock.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo test fast check fix docs lock clean

demo: .venv/ready  ## run the main job on the embedded example, with a real model
	$(BIN)/tunewright run examples/support-bot

test: .venv/ready  ## run all tests
	$(BIN)/python -m pytest -n auto -m "not real and not browser"
	$(BIN)/python -m pytest -m "real or browser"

fast: .venv/ready  ## run the tests that need no model
	$(BIN)/python -m pytest -n auto -m "not real and not browser"

check: .venv/ready  ## lint and type-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: .venv/ready  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/ready  ## write docs/reference from the code
	$(BIN)/python docs/reference/write.py

clean:  ## forget the environment and what the example made
	rm -rf .venv examples/*/.tunewright examples/*/out

lock:  ## write requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-package torch --no-header --no-annotate --upgrade --output-file requirements.lock

# torch has no hash: its CPU and CUDA builds share a version. It comes last, when all it needs is pinned.
.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) install --require-hashes --no-deps --requirement requirements.lock
	$(PIP) install torch==2.13.0
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch .venv/ready
