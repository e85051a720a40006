# The commands of this project. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# An index that has a CPU-only torch; empty: the default index, whose torch is the CUDA build (it runs on CPUs too).
TORCH_INDEX_URL ?=
DEMO_STATE ?= $(CURDIR)/build/demo

FAST := tests/unit tests/contract
# The tests of a file stay together, so that what they share is made once; a worker that is done takes some of another's.
ON_ALL_CORES := --numprocesses=auto --dist=worksteal
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test test-fast coverage test-integration e2e e2e-full bench-noniid lint fmt crds docs monitoring ci clean images image-constraints test-image

help: ## list the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

install: $(INSTALLED) ## make .venv with everything that is needed (TORCH_INDEX_URL=... for a CPU-only torch)

$(INSTALLED): pyproject.toml constraints.txt torch-excludes.txt
	@echo "installing into $(VENV); the first time torch alone is a gigabyte or more to download"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
ifeq ($(TORCH_INDEX_URL),)
	$(BIN)/uv pip install --python $(BIN)/python --compile-bytecode --constraint constraints.txt \
	  --excludes torch-excludes.txt --editable '.[dev]'
else
	grep -v '^torch==' constraints.txt > $(VENV)/constraints-without-torch.txt
	$(BIN)/uv pip install --python $(BIN)/python --compile-bytecode --index-url $(TORCH_INDEX_URL) torch
	$(BIN)/uv pip install --python $(BIN)/python --compile-bytecode \
	  --constraint $(VENV)/constraints-without-torch.txt --editable '.[dev]'
endif
	@touch $@

demo: install ## a hub and three clinics on this machine, three rounds, on images that the demo draws itself
	$(BIN)/fedround demo --state $(DEMO_STATE) --fresh

test: test-fast test-integration ## unit, contract and integration tests

# Tests start many processes: each would compile what it imports, and each worker all tests, where nothing may be kept.
test-fast coverage: export PYTHONDONTWRITEBYTECODE :=

test-fast: install ## unit and contract tests, on all cores
	$(BIN)/python -m pytest $(ON_ALL_CORES) $(FAST)

coverage: install ## the same tests, measuring the branches of the pure core; fails below the bar of pyproject.toml
	$(BIN)/python -m pytest $(ON_ALL_CORES) --cov --cov-report=term --no-cov-on-fail $(FAST)

test-integration: install ## processes, clusters and whole federations, one after the other
	$(BIN)/python -m pytest tests/integration

e2e: install ## four real clusters, images and charts: one network's life (Linux as root, or given kubeconfigs)
	$(BIN)/python -m pytest -m 'not full' tests/e2e

e2e-full: install ## the same with a rollback, rotation, revocation, restarts and an upgrade in mid-round
	$(BIN)/python -m pytest tests/e2e

bench-noniid: install ## FedAvg and FedProx on clinics that differ; writes the table of docs/non-iid.md (long)
	PYTHONPATH=tests $(BIN)/python -m benchmarks.noniid --write docs/non-iid.md

lint: install ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy crds operator training local images monitoring tests
	$(BIN)/lint-imports

fmt: install ## format and sort imports
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: install ## write docs/reference.md and the report's schema from the code
	$(BIN)/python docs/generate.py

crds: install ## write the CustomResourceDefinitions from the contract
	$(BIN)/python crds/generate.py

monitoring: install ## write dashboards and alerts into the charts
	PYTHONPATH=monitoring $(BIN)/python -m fedround_monitoring

images: install ## build both container images (BASE=... for another base image), with Docker or buildah
	$(BIN)/python images/build.py $(if $(BASE),--base $(BASE))

image-constraints: install ## write the images' constraints files from constraints.txt and pyproject.toml
	$(BIN)/python images/constraints.py

test-image: install ## unit tests of the training code inside the training image: Debian's Python, torch and numpy
	$(BIN)/python images/run_tests.py

ci: lint coverage test-integration e2e ## what must pass before anything lands: `make test`, the bar of coverage, `make e2e`

clean: ## remove what builds, tests and demos leave in the checkout
	rm -rf build dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find crds docs local monitoring operator tests training -name __pycache__ -prune -exec rm -rf {} +
