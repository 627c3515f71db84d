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
LINT_VENV := .pipewarden/lint-venv
LINT_READY := $(LINT_VENV)/.ready-$(shell cat local/lint/sam.txt | cksum | cut -d' ' -f1)
CHECKOV_VENV := .pipewarden/checkov-venv
CHECKOV_READY := $(CHECKOV_VENV)/.ready-$(shell cat local/lint/checkov.txt | cksum | cut -d' ' -f1)
NODE_READY := .pipewarden/node_modules/.ready
DENY_VERSION := 0.20.2
DENY := .pipewarden/cargo-deny-$(DENY_VERSION)/bin/cargo-deny
BROWSER = $(or $(PIPEWARDEN_CHROMIUM),$(shell command -v chromium || command -v chromium-browser))
NEXTEST := $(shell command -v cargo-nextest 2>/dev/null)

# Which architecture is built, and which environment of samconfig.toml is deployed. ENV is not taken from the shell, in
# which it means something else.
ARCH ?= arm64
# One function of the template alone, such as MetricsPublisherFunction; nothing that is deployed.
FUNCTION ?=
ENV := dev
PARAMS ?=
SMOKE ?=
CONFIRM ?=
RUST_TARGET := $(or $(if $(filter arm64,$(ARCH)),aarch64-unknown-linux-gnu),$(if $(filter x86_64,$(ARCH)),x86_64-unknown-linux-gnu))

BUILD_VENV := .pipewarden/build-venv
BUILD_READY := $(BUILD_VENV)/.ready-$(shell cat scripts/build-requirements.txt | cksum | cut -d' ' -f1)
BUILD_PYTHON := $(BUILD_VENV)/bin/python
PARAMETERS = $(BUILD_PYTHON) scripts/deployment.py parameters --env "$(ENV)" --arch $(ARCH) --given '$(PARAMS)'
# Where a path would get into a binary, a name stands for it: two checkouts build the same. The last that fits counts.
REMAPPED := --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo --remap-path-prefix=$(CURDIR)=/pipewarden \
  --remap-path-prefix=$(abspath $(BUILT))=/target
SAM = PATH="$(abspath $(BUILD_VENV))/bin:$$PATH" RUSTFLAGS="$(REMAPPED)" SAM_CLI_TELEMETRY=0 \
  __SAM_CLI_APP_DIR="$(CURDIR)/.pipewarden/sam" ZIG_GLOBAL_CACHE_DIR="$(CURDIR)/.pipewarden/zig" \
  CARGO_ZIGBUILD_CACHE_DIR="$(CURDIR)/.pipewarden/zig" sam

.PHONY: help demo test test-rust test-python lint advisories lint-template dashboard fmt build bench invoke local-cloud browser functions clean redrive reproducible deploy deployable smoke destroy

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: local-cloud functions ## Run the sf_user pipeline in the local cloud (SCENARIO=name, all, list, or causes for diagnoses alone)
	@$(BUILT)/debug/pipewarden-local demo --scenario "$(SCENARIO)" --users $(USERS)

test: test-rust test-python ## Run every test

test-rust: local-cloud functions browser
ifeq ($(NEXTEST),)
	cargo test $(CARGO_FLAGS) --workspace --no-fail-fast
else
	cargo nextest run $(CARGO_FLAGS) --workspace --no-fail-fast
endif

test-python: local-cloud
	$(VENV)/bin/python -m unittest discover -s local/tests_py

lint: lint-template $(NODE_READY) $(DENY) ## Check format, code, licences, template and state machines; warnings are errors
	cargo fmt --all --check
	$(DENY) --locked check bans licenses sources
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings
	for definition in statemachine/*.asl.json; do \
	  .pipewarden/node_modules/.bin/asl-validator --json-path "$$definition"; \
	done

# News: what was right yesterday may fail today, so no change waits for it. CI asks on its own, once a week at least.
advisories: $(DENY) ## Look whether a dependency has a known weakness (fetches the RustSec database)
	$(DENY) --locked check advisories

lint-template: $(LINT_READY) $(CHECKOV_READY) ## Check the template: CloudFormation, SAM, security, policies
	$(LINT_VENV)/bin/cfn-lint template.yaml
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-central-1 $(LINT_VENV)/bin/sam validate --lint --template template.yaml
	$(CHECKOV_VENV)/bin/checkov --config-file local/lint/checkov.yaml
	$(LINT_VENV)/bin/python local/lint/policies.py

dashboard: local-cloud browser ## Draw the dashboard with made-up data and take its picture (docs/images/dashboard.png)
	@$(VENV)/bin/python local/dashboard/preview.py --output .pipewarden/dashboard/index.html \
	  --browser "$(BROWSER)" --picture docs/images/dashboard.png

fmt: ## Format the code
	cargo fmt --all

invoke: functions ## Run one function with a sample event (FN=metrics-publisher EVENT=success)
	@$(BUILT)/debug/pipewarden-local invoke --function "$(FN)" --event "$(EVENT)"

# Knowledge bases of these sizes are measured beside the real one.
ENTRIES := 150 1500 15000

bench: local-cloud ## Measure the functions, rules, diagnoses and alerts beside their peers
	@# Apart: built together, the bench's features would be the functions' too.
	cargo build $(CARGO_FLAGS) --release -p metrics-publisher -p pipeline-validator -p error-handler -p alert-fanout
	for entries in $(ENTRIES); do \
	  PIPEWARDEN_BENCH_ENTRIES=$$entries cargo build $(CARGO_FLAGS) --release -p pipewarden-bench --bin diagnose; \
	  cp $(BUILT)/release/diagnose $(BUILT)/release/diagnose-$$entries; \
	done
	cargo build $(CARGO_FLAGS) --release -p pipewarden-bench
	@cp $(BUILT)/release/diagnose $(BUILT)/release/diagnose-real
	PIPEWARDEN_PYTHON=$(VENV)/bin/python $(BUILT)/release/pipewarden-bench functions
	$(BUILT)/release/pipewarden-bench rules
	$(BUILT)/release/pipewarden-bench knowledge
	$(BUILT)/release/pipewarden-bench alerts

redrive: local-cloud ## Put the alerts that nobody took through their function again (STACK=name of the deployed stack)
	@$(VENV)/bin/python scripts/redrive.py --stack "$(or $(STACK),$(error name the deployed stack: make redrive STACK=name))"

build: $(BUILD_READY) ## Build the functions for Lambda, without Docker (ARCH=arm64 or x86_64)
	@[ -n "$(RUST_TARGET)" ] || { echo "ARCH=$(ARCH) is neither arm64 nor x86_64" >&2; exit 1; }
	@[ -d "$$(rustc --print sysroot)/lib/rustlib/$(RUST_TARGET)/lib" ] || { \
	  echo "Rust cannot compile for $(ARCH) here: rustup target add $(RUST_TARGET), or take another ARCH=" >&2; exit 1; }
	@cargo metadata $(CARGO_FLAGS) --format-version 1 >/dev/null
	$(SAM) build $(FUNCTION) --parameter-overrides Architecture=$(ARCH)
	@$(BUILD_PYTHON) scripts/build_check.py --arch $(ARCH)

reproducible: $(BUILD_READY) ## Build twice, from two folders, and compare (ARCH=, FUNCTION=; takes many minutes)
	scripts/build_twice.sh $(ARCH) $(FUNCTION)

deploy: deployable build ## Build and deploy an environment of samconfig.toml (ENV=dev, staging or prod; PARAMS="Name=value")
	@overrides=(); while IFS= read -r override; do overrides+=("$$override"); done < <($(PARAMETERS)); \
	$(SAM) deploy --config-env "$(ENV)" --parameter-overrides "$${overrides[@]}"

# What is wrong with a deployment is said before anything is built for it.
deployable: $(BUILD_READY)
	@[ -z "$(FUNCTION)" ] || { echo "One function alone cannot be deployed: leave out FUNCTION=" >&2; exit 1; }
	@$(PARAMETERS) >/dev/null

smoke: local-cloud ## Invoke each deployed function and check its answer (ENV=; SMOKE="--quiet" sends no alert)
	@stack="$$($(VENV)/bin/python scripts/deployment.py stack --env "$(ENV)")"; \
	$(VENV)/bin/python scripts/smoke.py --stack "$$stack" $(SMOKE)

destroy: local-cloud ## Delete a deployed environment and what its buckets hold (ENV=; asks first)
	@stack="$$($(VENV)/bin/python scripts/deployment.py stack --env "$(ENV)")"; \
	$(VENV)/bin/python scripts/destroy.py --stack "$$stack" --confirm "$(CONFIRM)"

local-cloud: $(VENV_READY)

# The emulator and what it needs, pinned and hashed.
$(VENV_READY): local/cloud/requirements.txt
	@echo "Setting up the local cloud's Python environment (once, about half a minute) ..."
	@rm -rf $(VENV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r local/cloud/requirements.txt
	@touch $@

# A lock file lists everything, so nothing is left to resolve; with pip's own resolver, extras would be told apart from
# what they are extras of, and then have no hash.
define install-linters
	@echo "Setting up $(1) (once, about half a minute) ..."
	@rm -rf $(2)
	@$(PYTHON) -m venv $(2)
	@$(2)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(3)
	@touch $@
endef

$(LINT_READY): local/lint/sam.txt
	$(call install-linters,the linters of the template,$(LINT_VENV),$<)

$(CHECKOV_READY): local/lint/checkov.txt
	$(call install-linters,checkov,$(CHECKOV_VENV),$<)

# Chromium, in which the preview page is tested. Debian keeps one build of it for each release, the newest, so it is
# pinned to the release that the machine runs; PIPEWARDEN_CHROMIUM names another one.
browser:
	@if [ -z "$(BROWSER)" ]; then \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || { \
	    echo "Chromium is needed to test the preview page: install it, or set PIPEWARDEN_CHROMIUM=" >&2; exit 1; }; \
	  echo "Installing Chromium (once, about a minute) ..."; \
	  apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    chromium fonts-dejavu-core fonts-noto-color-emoji >/dev/null; \
	fi

# The SAM CLI, cargo-lambda and zig, apart from the local cloud's: they pin other versions of the same packages. The
# list is complete, so nothing that is not on it is resolved.
$(BUILD_READY): scripts/build-requirements.txt
	@echo "Setting up what builds and deploys (once, about a minute, 0.8 GB) ..."
	@rm -rf $(BUILD_VENV)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	@$(PYTHON) -m venv $(BUILD_VENV)
	@$(BUILD_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  -r scripts/build-requirements.txt
	@touch $@

# Compiled for a short life: its own speed does not matter, the time to have it does.
$(DENY):
	@echo "Setting up cargo-deny (once, about two minutes) ..."
	@CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_TARGET_DIR=.pipewarden/cargo-deny-build \
	  cargo install cargo-deny --version $(DENY_VERSION) --locked --quiet --root .pipewarden/cargo-deny-$(DENY_VERSION)
	@rm -rf .pipewarden/cargo-deny-build

functions:
	@cargo build $(CARGO_FLAGS) --workspace --bins

$(NODE_READY): local/lint/package.json local/lint/package-lock.json
	@echo "Setting up the definition linter (once) ..."
	@mkdir -p .pipewarden && cp local/lint/package.json local/lint/package-lock.json .pipewarden/
	@npm ci --silent --no-audit --no-fund --prefix .pipewarden
	@touch $@

clean: ## Remove what the targets above made, the build folder excepted
	rm -rf .pipewarden
