# Everything a fresh machine needs: Python 3.11 to 3.13, git and make.
# Another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types build test-exact test-faults bench-toy docs lock clean distclean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-11s %s\n", $$1, $$2 }'

demo: $(READY)  ## Train a small Siamese network on digits, evaluate it, write runs/demo/report.html
	@$(BIN)/tripleteval demo --output runs/demo

test: $(READY)  ## Run all tests; they include lint, types, floors, docs and the build
	@$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: lint types test  ## Run lint and types first, then all tests

lint: $(READY)  ## Check format, style and who imports whom
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/lint-imports --no-logo --no-cache

types: $(READY)  ## Check types
	@$(BIN)/mypy

build: $(READY)  ## Build the wheel and the source distribution into dist/
	@$(BIN)/python -m build --no-isolation

test-exact: $(READY)  ## Run 100,000 cases of the engine against exact arithmetic, for a night
	@TRIPLETEVAL_CASES=100000 $(BIN)/python -m pytest --timeout 7200 -k exact_arithmetic tests/engine

test-faults: $(READY)  ## Kill and resume a run 1,000 times, and a cluster's workers, nodes and drivers in 100 runs
	@TRIPLETEVAL_KILLS=1000 TRIPLETEVAL_CLUSTER_RUNS=16 $(BIN)/python -m pytest --timeout 14400 \
		tests/journal tests/evaluation/test_resume.py tests/cli/test_resume.py tests/engine/test_ray_map.py \
		tests/evaluation/test_search_cluster.py

bench-toy: $(READY)  ## Run every benchmark at toy size, so that none rots
	@for file in $$(grep -l __main__ benchmarks/*.py); do $(BIN)/python "$$file" -n 600 --classes 100 || exit 1; done

docs: $(READY)  ## Write the generated pages of docs/ again
	@$(BIN)/python docs/generate.py

lock:  ## Pin every dependency again (needs uv)
	uv pip compile pyproject.toml --extra all --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header --no-emit-package tripleteval -o requirements/lock.txt

clean:  ## Remove what tools leave behind; keep .venv and runs
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests docs examples -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## Remove .venv as well
	rm -rf .venv

# Once, and again when the lock or the project file changes.
$(READY): requirements/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit( \
		"Python %d.%d was found, 3.11 to 3.13 is needed. Name another one: make PYTHON=python3.12" % v)'
	@echo "Setting up .venv: about 2 GB and a few minutes, only once."
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes -r requirements/lock.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@
