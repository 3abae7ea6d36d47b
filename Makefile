# The portal's commands. `make` alone lists them.
#
# Every command does the set-up it needs by itself (scripts/setup); nothing has to be installed by hand but cargo and make.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

target := $(or $(CARGO_TARGET_DIR),target)
site := target/site
pkg := $(site)/pkg
wasm := $(target)/wasm32-unknown-unknown/wasm-release/app.wasm
binary := $(target)/release/runbook-portal
with_tools := scripts/with-tools

# One place says how the bundle is called and for which browsers it is: the leptos section of Cargo.toml.
leptos = $(shell sed -n 's/^$(1) = "\(.*\)"/\1/p' Cargo.toml)
browsers := $(call leptos,browserquery)

styles := $(wildcard style/*.css style/*/*.css)
assets := $(shell [ ! -d app/assets ] || find app/assets -type f)

.PHONY: help
help: ## list these commands
	@echo "Runbook Portal. The commands:"
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name does; do printf '  make %-12s %s\n' "$$name" "$$does"; done

# --- Set-up ---

.PHONY: setup setup-test setup-check setup-audit setup-dev
setup: ## install what building and running needs: prints the list first, installs only what is missing
	@scripts/setup run
setup-test:
	@scripts/setup test
setup-check:
	@scripts/setup check
setup-audit:
	@scripts/setup audit
setup-dev:
	@scripts/setup dev

# --- Build ---

.PHONY: build bundle server FORCE
build: server ## build the portal: one binary with everything the browser needs inside

bundle: $(pkg)/runbook-portal.js $(pkg)/runbook-portal.css $(site)/.assets ## build what the browser loads, into target/site

# cargo knows best whether the library is out of date: it is always asked, and leaves the file alone when it is not.
$(wasm): FORCE | setup
	@scripts/timed "The browser's half" $(with_tools) --wasm cargo build --package app --lib --target wasm32-unknown-unknown \
	  --no-default-features --features hydrate --profile wasm-release

$(pkg)/runbook-portal.js: $(wasm) scripts/bundle-wasm
	@scripts/timed "Bindings and optimising the wasm" $(with_tools) scripts/bundle-wasm $(wasm) $(pkg)

$(pkg)/runbook-portal.css: style/main.css $(styles) Cargo.toml | setup
	@mkdir -p $(pkg)
	@scripts/timed "The stylesheet" $(with_tools) lightningcss style/main.css --bundle --minify --targets '$(browsers)' --output-file $@

$(site)/.assets: $(assets) Makefile
	@mkdir -p $(site)
	@[ ! -d app/assets ] || cp -R app/assets/. $(site)/
	@touch $@

server: bundle
	@scripts/timed "The portal" $(with_tools) cargo build --release --package server

# --- Run ---

.PHONY: run dev
run: server ## build everything and start the portal on http://127.0.0.1:3000
	@$(binary)

dev: setup-dev ## rebuild and reload while you edit
	@$(with_tools) --wasm cargo leptos watch

# --- Measure ---

.PHONY: bench
bench: setup-test server ## measure what has to be fast, against a floor of the same run where there is one; writes BENCHMARKS.md (PORTAL_BENCH_ONLY="word": some of it)
	@$(with_tools) scripts/bench

# --- Test ---

.PHONY: test e2e thirteen prove holes pictures audit check api stack stack-down
test: setup-test server ## run every test: Rust, the container image, the practice stack, the browser
	@$(with_tools) scripts/test all

e2e: setup-test server ## run only the tests in the browser (ARGS="…" goes to Playwright)
	@$(with_tools) scripts/test browser $(ARGS)

thirteen: setup-test server ## the user's thirteen procedures in a browser on the practice machine, half an hour; pictures and evidence into target/thirteen
	@$(with_tools) scripts/thirteen $(ARGS)

stack: setup-test ## start the practice stack: two services under docker-compose, Prometheus, and a machine to practise on
	@end2end/stack/up

stack-down: ## stop what `make stack` started
	@end2end/stack/down

prove: setup-test server ## the large counts (kills, random histories): minutes to hours; writes docs/proofs.md (ONLY="NAME…" for some of them)
	@$(with_tools) scripts/prove $(ONLY)

holes: setup-test ## take the defences of docs/security.md away in a copy: each row's test has to fail (ONLY="a01 a05": one by one)
	@$(with_tools) scripts/holes $(ONLY)

pictures: setup-test server ## pictures of every page, and of output while it runs, into target/pictures (ARGS="running-output": only those)
	@PORTAL_PICTURES=$(CURDIR)/target/pictures $(with_tools) scripts/test browser --config pictures.config.ts $(ARGS)

audit: setup-audit ## licences, advisories, unused dependencies; says what it could not check here
	@$(with_tools) scripts/audit

api: | setup ## write docs/api.md anew from the server functions and the table of policies
	@PORTAL_WRITE_API=1 $(with_tools) cargo test --quiet --package server --test http the_document_of_the_api

check: setup-check ## format, clippy for server and browser, documentation, types of the browser tests, holes that fit; warnings are errors
	@scripts/timed "Format" $(with_tools) cargo fmt --all --check
	@scripts/timed "Clippy" $(with_tools) cargo clippy --workspace --all-targets -- -D warnings
	@scripts/timed "Clippy for the browser" $(with_tools) --wasm cargo clippy --package app --lib --target wasm32-unknown-unknown \
	  --no-default-features --features hydrate -- -D warnings
	@RUSTDOCFLAGS="-D warnings" scripts/timed "Documentation" $(with_tools) cargo doc --workspace --no-deps --quiet
	@scripts/timed "Types of the browser tests" npm --prefix end2end run --silent types
	@scripts/timed "Holes fit the code" git apply --check server/tests/holes/*.patch
