# make demo    the main job on made-up traffic (ARGS=--once: without a terminal)
# make test    every test
# make lint    formatting and clippy
# make build   the debug build that both use
# make setup   native libraries and models into .runtime/
# make bench   the benchmark record
# make eval    detection, compared with Presidio (ARGS=DIRECTORY of labelled JSON lines)
# make fuzz    recognizers and restoration (ARGS="inspect -max_total_time=60"; or encoded, restore)
#
# Each installs what it needs first; what is already there is used as it is, without network.

CARGO ?= cargo
ARGS ?=
TARGET_DIR = $(or $(CARGO_TARGET_DIR),target)
TOLLGATE = $(TARGET_DIR)/debug/tollgate
# Where rustup puts cargo, for shells that have not been told.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)

.PHONY: demo test build build-tests lint setup bench eval fuzz clean-runtime system-packages
.DEFAULT_GOAL := build

demo: setup
	@$(TOLLGATE) demo $(ARGS)

# Built as the tests build it, so that nothing is built a second time for them.
test: build-tests
	@$(TOLLGATE) setup
	@scripts/test-packages.sh
	@CARGO="$(CARGO)" scripts/test.sh $(ARGS)

build: system-packages
	$(CARGO) build --locked

build-tests: system-packages
	$(CARGO) test --workspace --locked --no-run

lint: system-packages
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

setup: build
	@$(TOLLGATE) setup

bench: system-packages
	@if [ -x benches/run.sh ]; then benches/run.sh $(ARGS); \
	else echo 'there is no benches/run.sh'; exit 1; fi

eval: system-packages
	@scripts/eval/run.sh $(ARGS)

fuzz: system-packages
	@scripts/fuzz.sh $(ARGS)

# The next set-up fetches everything again.
clean-runtime:
	rm -rf "$(or $(TOLLGATE_RUNTIME),.runtime)"

system-packages:
	@scripts/system-packages.sh
