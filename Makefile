# The words a newcomer would guess. Everything happens in .venv, built from requirements.lock.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test fast check fix docs clean

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

# torch comes first and by itself: with it in place nothing pulls the CUDA build.
.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' requirements.lock)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch .venv/ready
