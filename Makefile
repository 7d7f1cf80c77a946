# make setup | demo | label-demo | test | test-label | lint | docs | bench: each is safe to repeat, and quick the second time.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-train setup-tests setup-label label-studio chromium egl demo label-demo test test-label lint docs format bench constraints clean

PYTHON ?= python3
VENV ?= .venv
DEMO ?= out/demo
PYTEST_ARGS ?=
LABEL_VENV ?= .venv-label
STUDIO_VENV ?= .venv-label-studio
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq -c constraints.txt

help:  ## what there is to make
	@grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/:.*  ## /\t/' | expand -t 14

setup: $(VENV)/.setup  ## a virtual environment with handloom and its development tools

setup-train: $(VENV)/.setup-train  ## setup, and torch

setup-tests: $(VENV)/.setup-tests  ## setup, and what only tests and benchmarks need (torch, smplx, pyrender, executorch)

# The stamps make a second run instant; a changed pyproject.toml or constraints.txt renews them.
$(VENV)/.setup: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and \
	  f"handloom needs Python 3.11 or newer, got {v[0]}.{v[1]}: make setup PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setup: installing into $(VENV) (about a minute the first time)"
	@$(PIP) -e '.[dev]'
	@touch $@

$(VENV)/.setup-train: $(VENV)/.setup
	@echo "setup: adding torch"
	@$(PIP) -e '.[dev,train]'
	@touch $@

# Apart from the first steps, so that the demo never waits for what only tests need.
$(VENV)/.setup-tests: $(VENV)/.setup
	@echo "setup: adding torch, smplx, pyrender, onnxruntime and executorch for the tests"
	@$(PIP) -e '.[dev,mano,pyrender,train,export,executorch,capture,view,formats,dask,s3-tests]'
	@touch $@

# label-studio-sdk pins an older numpy: it has an environment of its own, which tests that numpy too.
setup-label: $(LABEL_VENV)/.setup  ## an environment for handloom label: label-studio-sdk, torch, playwright

$(LABEL_VENV)/.setup: pyproject.toml constraints-label.txt
	@test -x $(LABEL_VENV)/bin/python || $(PYTHON) -m venv $(LABEL_VENV)
	@echo "setup: installing handloom label into $(LABEL_VENV) (a minute or two the first time)"
	@$(LABEL_VENV)/bin/python -m pip --disable-pip-version-check install -qq -c constraints-label.txt \
	  -e '.[dev,label,train]' playwright
	@touch $@

label-studio: setup-label  ## Label Studio itself, in a third environment (1 GB)
	@$(LABEL_VENV)/bin/handloom label serve --install-only --venv $(STUDIO_VENV)

# The browser that tests of pages and of labelling use.
chromium:
	@if command -v chromium chromium-browser >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "chromium: installing it"; apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else \
	  echo "chromium: it is missing, so tests in the browser will be skipped;" \
	       "mend: sudo apt-get install chromium"; \
	fi

# pyrender draws through EGL. Root on Debian or Ubuntu gets the libraries; anyone else is told.
EGL_PACKAGES := libegl1 libgl1 libgl1-mesa-dri
HAS_EGL := $(PYTHON) -c 'import ctypes; [ctypes.CDLL(n) for n in ("libEGL.so.1", "libGL.so.1")]' 2>/dev/null

egl:
	@if $(HAS_EGL); then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "egl: installing $(EGL_PACKAGES)"; apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(EGL_PACKAGES) >/dev/null; \
	else \
	  echo "egl: libEGL.so.1 or libGL.so.1 is missing, so tests against pyrender will be skipped;" \
	       "mend: sudo apt-get install $(EGL_PACKAGES)"; \
	fi

demo: setup-train  ## generate, degrade, train, evaluate, predict, export: six minutes on two cores
	@$(BIN)/handloom demo $(DEMO)

test: setup-tests egl chromium  ## all tests; PYTEST_ARGS='-k camera' for some
	@$(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST_ARGS)

test-label: setup-label label-studio chromium  ## labelling against the real Label Studio and a browser
	@HANDLOOM_LABEL_STUDIO=$(CURDIR)/$(STUDIO_VENV) $(LABEL_VENV)/bin/python -m pytest tests/labeling/live \
	  tests/labeling/test_push.py tests/labeling/test_pull.py tests/labeling/test_bearer.py $(PYTEST_ARGS)

label-demo: setup setup-label label-studio  ## an example capture, as a task to correct in the browser
	@$(BIN)/handloom synth out/label/capture --frames 24 --seed 3 --sensor d435
	@$(LABEL_VENV)/bin/handloom label serve out/label/studio --venv $(STUDIO_VENV) \
	  --push out/label/capture --project handloom-demo --predictor labels

lint: setup  ## ruff, mypy, and the order of the rooms
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: setup  ## the documents as a site, in out/site
	@$(BIN)/mkdocs build --quiet

format: setup  ## put the code in ruff's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup-tests egl  ## measure the published figures again, on this machine
	@$(BIN)/handloom bench

constraints:  ## resolve every version anew, in a fresh environment
	@fresh=$$(mktemp -d); trap 'rm -rf "$$fresh"' EXIT; \
	$(PYTHON) -m venv "$$fresh"; \
	"$$fresh/bin/pip" --disable-pip-version-check install --quiet torch==2.13.0 '.[dev,mano,pyrender,train,export,executorch,capture,view,formats,dask,s3-tests]' hatchling editables; \
	{ head -n 2 constraints.txt; \
	  "$$fresh/bin/pip" freeze | grep -viE '^(handloom|nvidia-|triton)' | sed 's/+[a-z0-9]*$$//'; } > "$$fresh/new"; \
	cp "$$fresh/new" constraints.txt

clean:  ## remove the environment and everything made
	rm -rf $(VENV) $(LABEL_VENV) $(STUDIO_VENV) out build dist
