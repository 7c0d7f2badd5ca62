# Everything that a person or CI runs. `make help` lists it.
PYTHON ?= python3
VENV := .venv
DEV := .venv-dev
PARITY := .venv-parity
.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench parity requirements clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 16

# Environments: made anew when the pinned requirements change; no root, no torch but in the parity one.
$(VENV)/.ready: requirements/base.txt pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV)/.ready: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv --clear $(DEV)
	$(DEV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(DEV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(PARITY)/.ready: requirements/parity.txt pyproject.toml
	$(PYTHON) -m venv --clear $(PARITY)
	$(PARITY)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/parity.txt
	$(PARITY)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/parity-nodeps.txt
	ln -sf "$$($(PARITY)/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')" $(PARITY)/bin/ffmpeg
	$(PARITY)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/.ready ## the main job on this machine: a good release is published, a worse one is stopped
	$(VENV)/bin/python test-assets/demo.py --out demo

test: $(DEV)/.ready ## unit tests
	$(DEV)/bin/python -m pytest -n auto

lint: $(DEV)/.ready ## format, style, types, and which way imports point
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/ruff check .
	$(DEV)/bin/mypy
	$(DEV)/bin/lint-imports

format: $(DEV)/.ready ## format the code
	$(DEV)/bin/ruff format .
	$(DEV)/bin/ruff check --fix .

parity: $(PARITY)/.ready ## metrics against implementations that are not ours (installs torch: 6 GB)
	PATH="$(CURDIR)/$(PARITY)/bin:$$PATH" $(PARITY)/bin/python -m pytest tests/parity

bench: $(VENV)/.ready $(PARITY)/.ready ## speed, side by side in one run
	PATH="$(CURDIR)/$(PARITY)/bin:$$PATH" PENSTOCK_PARITY_PYTHON="$(CURDIR)/$(PARITY)/bin/python" \
		$(VENV)/bin/python tests/bench/run.py

requirements: $(DEV)/.ready ## pin the requirements again, with hashes
	$(DEV)/bin/python requirements/pin.py

clean: ## remove environments, caches and the demo
	rm -rf $(VENV) $(DEV) $(PARITY) demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info
