# raft-tui: what there is to do, a line each. `make help` lists it.

SWIFT ?= swift
# Without colours, of which the compiler would be told, so that a terminal and a pipe want two different builds.
PLAIN := --no-color-diagnostics
BINARY := .build/release/raft-tui
# Linked statically, the program starts in a fraction of the time, and runs where Swift isn't installed.
RELEASE := -c release --static-swift-stdlib $(PLAIN)
# Where Debian puts the sources of Go packages.
GO_SOURCES := /usr/share/gocode/src
ROOT := $(if $(filter 0,$(shell id -u)),,sudo)

.DEFAULT_GOAL := help
# Three nodes in processes of their own: where their disks, logs and process numbers are, and where they serve HTTP.
RUN := .run
IDS := 1 2 3
URLS := http://127.0.0.1:9001,http://127.0.0.1:9002,http://127.0.0.1:9003


.PHONY: help run build test format check-format bench bench-peers simulate screenshots clean
.PHONY: setup setup-test setup-peers
.PHONY: setup-demo cluster demo status logs stop

help: ## list what there is to do
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## set everything up, build, and open the dashboard
	@$(BINARY)

build: setup ## build the release binary, .build/release/raft-tui
	@$(SWIFT) build $(RELEASE)

cluster: build setup-demo ## start three nodes in the background, with HTTP on ports 9001 to 9003
	@mkdir -p $(RUN)
	@for id in $(IDS); do \
		if $(call runs,$$id); then echo "node $$id runs already"; continue; fi; \
		nohup $(BINARY) $(call node,$$id) >> $(RUN)/node-$$id.log 2>&1 < /dev/null & \
		echo $$! > $(RUN)/node-$$id.pid; \
	done
	@for id in $(IDS); do \
		while ! curl -s -o /dev/null http://127.0.0.1:900$$id/status; do \
			$(call runs,$$id) || { tail -n 3 $(RUN)/node-$$id.log; echo "node $$id did not start: see above"; exit 1; }; \
			sleep 0.05; \
		done; \
		$(call runs,$$id) || { tail -n 3 $(RUN)/node-$$id.log; \
			echo "somebody else serves port 900$$id, so node $$id did not start: see above"; exit 1; }; \
		echo "node $$id serves http://127.0.0.1:900$$id"; \
	done
	@for _ in $$(seq 50); do $(BINARY) status $(URLS) >/dev/null 2>&1 && break; sleep 0.1; done
	@$(BINARY) status $(URLS) || true

node-%: build # node-1, node-2, node-3: one of them in the foreground
	@mkdir -p $(RUN)
	@if $(call runs,$*); then echo "node $* runs already: make stop ends it"; exit 1; fi
	@$(BINARY) $(call node,$*)

demo: setup-demo cluster ## show what the three nodes do, a leader killed among it
	@Tests/Cluster/demo.sh

status: build ## say of each of the three nodes what it is
	@$(BINARY) status $(URLS)

logs: ## show what the three nodes have told, and in a terminal go on with it
	@ls $(RUN)/node-*.log >/dev/null 2>&1 || { echo "there are no logs yet: make cluster starts the nodes"; exit 1; }
	@tail -n 20 $$([ -t 1 ] && echo -F) $(RUN)/node-*.log

stop: ## end the nodes that make cluster has started; their disks stay in .run
	@for id in $(IDS); do \
		if $(call runs,$$id); then kill $$(cat $(RUN)/node-$$id.pid); echo "node $$id is told to stop"; fi; \
	done
	@for id in $(IDS); do while $(call runs,$$id); do sleep 0.05; done; rm -f $(RUN)/node-$$id.pid; done

# node ID: what a node's process is started with.
node = node --id $(1) --raft 127.0.0.1:800$(1) --http 127.0.0.1:900$(1) --data-dir $(RUN) \
	--peers $$(for p in $(IDS); do [ $$p = $(1) ] || printf '%s=127.0.0.1:800%s,' $$p $$p; done | sed 's/,$$//')

# runs ID: whether the process that make cluster has started for it is still that.
runs = tr '\0' ' ' 2>/dev/null < /proc/$$(cat $(RUN)/node-$(1).pid 2>/dev/null || echo none)/cmdline \
	| grep -q -- "raft-tui node --id $(1) "

# Tests that are served by tasks of their own process: the others keep the few threads of all tasks waiting.
SERVED := KeyValueServiceTests|ServerTests|WatchTests

test: setup-test ## set up what tests need, and run them all
	@$(SWIFT) build --build-tests $(PLAIN)
	@$(SWIFT) test --skip-build --filter '$(SERVED)'
	@$(SWIFT) test --skip-build --skip '$(SERVED)'
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

bench-peers: $(if $(RAFT_TUI),,build) setup-peers ## measure writes beside hashicorp/raft's and etcd's, in turn
	@python3 Tests/Benchmarks/peers.py

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

setup-demo: setup
	@command -v curl >/dev/null || $(call install,curl,curl,curl)

# Where there are no Debian packages, what they have is left out of the comparison. With etcd's program comes a service
# that starts by itself: it is stopped where it came just now.
setup-peers:
	@command -v cc >/dev/null || $(call install,gcc,gcc,gcc)
	@command -v go >/dev/null || $(call install,golang-go,golang,go)
	@command -v apt-get >/dev/null || echo "hashicorp/raft and etcd come from Debian's packages: here they are left out"
	@! command -v apt-get >/dev/null || [ -d $(GO_SOURCES)/github.com/hashicorp/raft-boltdb ] || \
		$(call install,golang-github-hashicorp-raft-dev golang-github-hashicorp-raft-boltdb-dev)
	@! command -v apt-get >/dev/null || [ -d $(GO_SOURCES)/go.etcd.io/etcd/clientv3 ] || \
		$(call install,golang-etcd-server-dev)
	@! command -v apt-get >/dev/null || command -v etcd >/dev/null || { $(call install,etcd-server) && \
		{ ! command -v systemctl >/dev/null || $(ROOT) systemctl disable --now etcd >/dev/null 2>&1 || true; }; }

# install DEBIAN-NAME,FEDORA-NAME,ARCH-NAME: installs a package with whatever the system has, and says so.
define install
{ echo "installing $(1) ..."; \
  if command -v apt-get >/dev/null; then \
    { $(ROOT) apt-get install -y -qq $(1) || { $(ROOT) apt-get update -qq && $(ROOT) apt-get install -y -qq $(1); }; } >/dev/null; \
  elif command -v dnf >/dev/null; then $(ROOT) dnf install -y -q $(2); \
  elif command -v pacman >/dev/null; then $(ROOT) pacman -S --noconfirm --needed $(3) >/dev/null; \
  else echo "no package manager that is known here: install $(1) by hand"; exit 1; fi; }
endef
