# raft-tui: what there is to do, a line each. `make help` lists it.

SWIFT ?= swift
BINARY := .build/release/raft-tui
# Linked statically, the program starts in a fraction of the time, and runs where Swift isn't installed.
RELEASE := -c release --static-swift-stdlib
ROOT := $(if $(filter 0,$(shell id -u)),,sudo)

.DEFAULT_GOAL := help
.PHONY: help run build test format check-format bench simulate screenshots clean setup setup-test

help: ## list what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## set everything up, build, and open the dashboard
	@$(BINARY)

build: setup ## build the release binary, .build/release/raft-tui
	@$(SWIFT) build $(RELEASE)

test: setup-test ## set up what tests need, and run them all
	@$(SWIFT) build --build-tests
	@$(SWIFT) test --skip-build
	@$(SWIFT) build $(RELEASE)
	@Tests/Simulation/mutants.sh
	@Tests/Simulation/small-worlds.sh

format: ## put the code into its format
	@$(SWIFT) format --in-place --recursive Sources Tests Package.swift

check-format: ## say where the code is not in its format
	@$(SWIFT) format lint --recursive --strict Sources Tests Package.swift

bench: build ## measure the start, a failover, writes, what the dashboard costs, and the audit
	@python3 Tests/Benchmarks/launch.py
	@python3 Tests/Benchmarks/failover.py
	@$(BINARY) bench
	@python3 Tests/Benchmarks/idle.py
	@.build/release/linearizability-benchmark
	@.build/release/looking-back-benchmark
	@.build/release/compaction-benchmark reopen catch-up snapshot

simulate: build ## put the nodes through 10,000 simulated worlds
	@$(BINARY) simulate --seeds 1...10000

screenshots: build setup-test ## take the README's pictures anew
	@Tests/Screenshots/take.sh

clean: ## take away everything that was built
	@rm -rf .build .build-*

# What has to be there before anything else. Each step does nothing where it was done before.

setup:
	@command -v $(SWIFT) >/dev/null || { \
		echo "raft-tui needs Swift 6.2 or later: install it from https://www.swift.org/install"; exit 1; }
	@version=$$($(SWIFT) --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' | head -n 1); \
	set -- $$version; [ "$${1:-0}" -gt 6 ] || { [ "$${1:-0}" -eq 6 ] && [ "$${2:-0}" -ge 2 ]; } || { \
		echo "raft-tui needs Swift 6.2 or later, and this is $${1:-unknown}.$${2:-}: see https://www.swift.org/install"; exit 1; }
	@[ -e /usr/include/curses.h ] || $(call install,libncurses-dev,ncurses-devel,ncurses)

setup-test: setup
	@command -v tmux >/dev/null || $(call install,tmux,tmux,tmux)
	@command -v ss >/dev/null || $(call install,iproute2,iproute,iproute2)
	@command -v pgrep >/dev/null || $(call install,procps,procps-ng,procps-ng)

# install DEBIAN-NAME,FEDORA-NAME,ARCH-NAME: installs a package with whatever the system has, and says so.
define install
{ echo "installing $(1) ..."; \
  if command -v apt-get >/dev/null; then \
    { $(ROOT) apt-get install -y -qq $(1) || { $(ROOT) apt-get update -qq && $(ROOT) apt-get install -y -qq $(1); }; } >/dev/null; \
  elif command -v dnf >/dev/null; then $(ROOT) dnf install -y -q $(2); \
  elif command -v pacman >/dev/null; then $(ROOT) pacman -S --noconfirm --needed $(3) >/dev/null; \
  else echo "no package manager that is known here: install $(1) by hand"; exit 1; fi; }
endef
