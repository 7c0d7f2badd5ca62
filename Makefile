# Everything that a person or CI runs. `make help` lists it.
PYTHON ?= python3
VENV := .venv
DEV := .venv-dev
PARITY := .venv-parity
.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench parity e2e kind-up kind-down images images-check requirements clean

help: ## list what can be made
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 16

# pip's own word for a Python that is too old is a list of versions that it has passed over.
define check-python
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "error: $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo not there), and Penstock needs Python 3.11 or later: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
endef

# $(call needs,PROGRAM,PACKAGE): Debian's package, where the program is missing and we may install it.
define needs
@command -v $(1) >/dev/null || { apt-get update --quiet=2 && apt-get install --quiet=2 --yes --no-install-recommends $(2); } || { \
	echo "error: '$(1)' is missing: install the package '$(2)'" >&2; exit 2; }
endef

# Environments: made anew when the pinned requirements change; no root, no torch but in the parity one.
$(VENV)/.ready: requirements/base.txt pyproject.toml
	$(check-python)
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV)/.ready: requirements/dev.txt pyproject.toml
	$(check-python)
	$(PYTHON) -m venv --clear $(DEV)
	$(DEV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(DEV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(PARITY)/.ready: requirements/parity.txt pyproject.toml
	$(check-python)
	$(PYTHON) -m venv --clear $(PARITY)
	$(PARITY)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/parity.txt
	$(PARITY)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/parity-nodeps.txt
	ln -sf "$$($(PARITY)/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')" $(PARITY)/bin/ffmpeg
	$(PARITY)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(VENV)/.ready ## the main job on this machine: a good release is published, a worse one is stopped
	$(VENV)/bin/python test-assets/demo.py --out demo

test: $(DEV)/.ready ## unit tests, but for those that take long (they are in system)
	$(call needs,bwrap,bubblewrap)
	$(DEV)/bin/python -m pytest -n auto --dist worksteal -m 'not slow'

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

.PHONY: error-rates
error-rates: $(DEV)/.ready ## the verdict's error rates on real runs of sonic-lite (some ten minutes; goes on where it was broken off)
	$(DEV)/bin/python tests/error_rates/sonic_lite.py --out build/error-rates

.PHONY: error-rates-under-load
error-rates-under-load: $(DEV)/.ready ## an unchanged model, judged by the policy of penstock init, 60 times beside four busy loops (ten minutes)
	PATH="$(CURDIR)/$(DEV)/bin:$$PATH" $(DEV)/bin/python tests/error_rates/under_load.py --out build/error-rates-under-load

.PHONY: error-rates-watch
error-rates-watch: $(DEV)/.ready ## the error rates of penstock watch: 10,000 made-up canaries of each kind (ten minutes)
	mkdir -p build
	$(DEV)/bin/python tests/error_rates/watch.py --json build/error-rates-watch.json

.PHONY: error-rates-preference
error-rates-preference: $(DEV)/.ready ## the error rates of the rule for people's ratings: 2,000 made-up runs of each kind (a minute or two)
	$(DEV)/bin/python tests/error_rates/preference.py

.PHONY: faults faults-whole figures
faults: $(DEV)/.ready ## each bad release of the reference models is stopped by its rule: a table a model (six minutes; MODELS=face-lite for one)
	$(call needs,chromium,chromium)
	$(call needs,bwrap,bubblewrap)
	$(DEV)/bin/python -m tests.faults --out build/faults $(MODELS)

faults-whole: $(DEV)/.ready ## the same by whole releases over the whole suites (an hour; goes on where it was broken off)
	$(call needs,chromium,chromium)
	$(call needs,bwrap,bubblewrap)
	$(DEV)/bin/python -m tests.faults --out build/faults --whole $(MODELS)

figures: $(DEV)/.ready ## what the good releases of the reference models are worth: the figures of their documents (some minutes a model)
	$(call needs,chromium,chromium)
	$(call needs,bwrap,bubblewrap)
	$(DEV)/bin/python -m tests.faults --out build/faults --figures $(MODELS)

bench: $(DEV)/.ready $(PARITY)/.ready ## speed, side by side in one run; a summary at the end says what was met
	$(call needs,chromium,chromium)
	PATH="$(CURDIR)/$(PARITY)/bin:$$PATH" PENSTOCK_PARITY_PYTHON="$(CURDIR)/$(PARITY)/bin/python" \
		$(DEV)/bin/python tests/bench/run.py $(PARTS)

.PHONY: bench-against
bench-against: $(VENV)/.ready ## what a change costs: COMMIT=abc123 and this tree do the same work, in turns (five minutes)
	$(VENV)/bin/python tests/bench/against.py $(COMMIT)

.PHONY: bench-cluster
bench-cluster: $(DEV)/.ready ## a release on the cluster: cold, warm and unchanged; after cluster-up and images
	$(DEV)/bin/python -m tests.bench.bench_cluster

.PHONY: gpu
gpu: ## what only a machine with an NVIDIA card can show: TORCH=an interpreter with PyTorch, NumPy and OpenCV (installs CUDA's libraries into build/: 3 GB)
	test -x build/gpu/bin/penstock || { $(PYTHON) -m venv --clear build/gpu && \
		build/gpu/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt && \
		build/gpu/bin/python -m pip uninstall --quiet --yes onnxruntime && \
		build/gpu/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/cuda.txt && \
		build/gpu/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .; }
	build/gpu/bin/python -m tests.gpu --python "$(or $(TORCH),$(shell command -v python3))" --json build/gpu.json

.PHONY: system
system: $(DEV)/.ready ## whole programs at work, without a cluster: unit tests that take long, runs, bisect, models in their cage, the report in a real Chromium
	$(call needs,chromium,chromium)
	$(call needs,bwrap,bubblewrap)
	$(call needs,/usr/sbin/sshd,openssh-server)
	$(call needs,skopeo,skopeo)
	$(call needs,git-lfs,git-lfs)
	$(DEV)/bin/python -m pytest -n auto --dist worksteal -m slow
	$(DEV)/bin/python -m pytest -n auto --dist worksteal tests/pipeline tests/runner tests/git_servers tests/targets tests/bisect tests/invocation tests/faults tests/face_lite tests/recognition_lite tests/rmbg_lite tests/sonic_lite tests/networks tests/kind tests/bench tests/browser --timeout=400 --durations=5

.PHONY: mlflow
mlflow: $(DEV)/.ready ## runs and releases in a real MLflow server, read back with its own client (installs it into build/)
	test -x build/mlflow/bin/mlflow || { $(PYTHON) -m venv --clear build/mlflow && build/mlflow/bin/python -m pip install --quiet --disable-pip-version-check mlflow==3.17.2; }
	PENSTOCK_MLFLOW="$(CURDIR)/build/mlflow" $(DEV)/bin/python -m pytest tests/mlflow

build/cosign/cosign:
	GOBIN="$(CURDIR)/build/cosign" go install github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3

.PHONY: cosign chains
cosign: $(DEV)/.ready build/cosign/cosign ## the signed verdict and bill of materials beside an image, verified by cosign itself (builds it into build/: five minutes)
	$(call needs,docker-registry,docker-registry)
	$(call needs,skopeo,skopeo)
	PENSTOCK_COSIGN="$(CURDIR)/build/cosign/cosign" $(DEV)/bin/python -m pytest tests/cosign

chains: $(DEV)/.ready build/cosign/cosign ## provenance by Tekton Chains of what *build* says, on the cluster (after cluster-up; builds both: ten minutes)
	$(call needs,skopeo,skopeo)
	PENSTOCK_COSIGN="$(CURDIR)/build/cosign/cosign" $(DEV)/bin/python -m pytest tests/chains

.PHONY: model-signing
model-signing: $(DEV)/.ready ## signed weights, ours read by OpenSSF's own program and the other way round (installs it into build/)
	test -x build/model-signing/bin/model_signing || { $(PYTHON) -m venv --clear build/model-signing && build/model-signing/bin/python -m pip install --quiet --disable-pip-version-check model-signing==1.1.1 pyOpenSSL; }
	PENSTOCK_MODEL_SIGNING="$(CURDIR)/build/model-signing" $(DEV)/bin/python -m pytest tests/model_signing

.PHONY: cluster-up cluster-down cluster-status
cluster-up: $(DEV)/.ready ## a real single-node Kubernetes with Tekton on this machine (root; see docs/cluster.md)
	$(DEV)/bin/python -m tests.cluster up

cluster-down: $(DEV)/.ready ## remove it, and leave the machine as it was
	$(DEV)/bin/python -m tests.cluster down

cluster-status: $(DEV)/.ready ## what of it runs
	$(DEV)/bin/python -m tests.cluster status

e2e: $(DEV)/.ready ## the pipeline on a real cluster, nothing mocked; leaves the cluster up
	$(MAKE) cluster-up
	$(MAKE) images REGISTRY=10.245.0.1:5000/penstock TLS_VERIFY=false BASE=10.245.0.1:5000/library/python:3.11-slim IMAGES_OPTIONS=--allow-tag
	$(DEV)/bin/python -m tests.e2e

GPU ?= all
kind-up: $(DEV)/.ready ## Penstock on kind (needs Docker), with this machine's cards; GPU=none without
	$(DEV)/bin/python -m tests.kind up --gpu=$(GPU)

kind-down: $(DEV)/.ready ## take that cluster and its registry down
	$(DEV)/bin/python -m tests.kind down

images: $(DEV)/.ready ## build the images of steps and services, push them, write build/install: make images REGISTRY=host:port/path
	$(DEV)/bin/python -m images.build --registry "$(REGISTRY)" $(if $(BASE),--base "$(BASE)") \
		$(if $(TLS_VERIFY),--tls-verify=$(TLS_VERIFY)) $(if $(ONLY),$(ONLY:%=--only=%)) $(IMAGES_OPTIONS)

images-check: $(DEV)/.ready ## what the images of the last `make images` hold, their sizes, and whether each starts
	$(DEV)/bin/python -m images.check

requirements: $(DEV)/.ready ## pin the requirements again, with hashes
	$(DEV)/bin/python requirements/pin.py

clean: ## remove environments, caches and the demo
	rm -rf $(VENV) $(DEV) $(PARITY) demo build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache src/*.egg-info
