# What a person runs. `make help` lists it; `make demo` and `make test` set up what they need by themselves.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
SCENARIO ?= success
USERS ?= 20000
FN ?= metrics-publisher
EVENT ?= success
CARGO_FLAGS ?= --locked

BUILT := $(or $(CARGO_TARGET_DIR),target)
VENV := .pipewarden/venv
VENV_READY := $(VENV)/.ready-$(shell cat local/cloud/requirements.txt | cksum | cut -d' ' -f1)
NODE_READY := .pipewarden/node_modules/.ready
NEXTEST := $(shell command -v cargo-nextest 2>/dev/null)

.PHONY: help demo test test-rust test-python lint fmt build bench invoke local-cloud functions clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: local-cloud functions ## Run the sf_user pipeline in the local cloud (SCENARIO=name, all or list)
	@$(BUILT)/debug/pipewarden-local demo --scenario "$(SCENARIO)" --users $(USERS)

test: test-rust test-python ## Run every test

test-rust: local-cloud functions
ifeq ($(NEXTEST),)
	cargo test $(CARGO_FLAGS) --workspace --no-fail-fast
else
	cargo nextest run $(CARGO_FLAGS) --workspace --no-fail-fast
endif

test-python: local-cloud
	$(VENV)/bin/python -m unittest discover -s local/tests_py

lint: local-cloud $(NODE_READY) ## Check format, code, template and state machines; warnings are errors
	cargo fmt --all --check
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings
	$(VENV)/bin/cfn-lint template.yaml
	for definition in statemachine/*.asl.json; do \
	  .pipewarden/node_modules/.bin/asl-validator --json-path "$$definition"; \
	done

fmt: ## Format the code
	cargo fmt --all

invoke: functions ## Run one function with a sample event (FN=metrics-publisher EVENT=success)
	@$(BUILT)/debug/pipewarden-local invoke --function "$(FN)" --event "$(EVENT)"

bench: local-cloud ## Measure cold start, warm latency, memory and size beside their peers
	# Apart: built together, the bench's features would be the functions' too.
	cargo build $(CARGO_FLAGS) --release -p metrics-publisher -p pipeline-validator -p error-handler -p alert-fanout
	cargo build $(CARGO_FLAGS) --release -p pipewarden-bench
	PIPEWARDEN_PYTHON=$(VENV)/bin/python $(BUILT)/release/pipewarden-bench

build: ## Build the functions for deployment (needs cargo-lambda and the SAM CLI)
	sam build

local-cloud: $(VENV_READY)

# The emulator and what it needs, pinned and hashed.
$(VENV_READY): local/cloud/requirements.txt
	@echo "Setting up the local cloud's Python environment (once, about half a minute) ..."
	@rm -rf $(VENV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r local/cloud/requirements.txt
	@touch $@

functions:
	@cargo build $(CARGO_FLAGS) --workspace --bins

$(NODE_READY): local/lint/package.json local/lint/package-lock.json
	@echo "Setting up the definition linter (once) ..."
	@mkdir -p .pipewarden && cp local/lint/package.json local/lint/package-lock.json .pipewarden/
	@npm ci --silent --no-audit --no-fund --prefix .pipewarden
	@touch $@

clean: ## Remove what the targets above made, the build folder excepted
	rm -rf .pipewarden
