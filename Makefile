# Ferraris. `make help` lists what can be asked for.
#   PYTHON=python3.12      the Python that makes .venv; `make test-unit PYTHON=...` tests with it
#   ARGS="--ports 5000"    options of the virtual meter
#   PORT=/dev/ttyUSB0      a real meter on a serial line (RS485; BAUD=9600; OPTICAL=1: its optical head) or
#   HOST=192.168.1.5[:N]   on the network (HDLC=1: a serial server there), for test-sim, conformance,
#                          accuracy, tariff, calibrate, read; PASSWORD=, ADDRESS=, CHANGE=1: also what changes it
#   BOARD=pico2_meter      a board of boards/; its PORT= is found if it is the only one plugged in
#   MICROPYTHON=/path      another MicroPython interpreter for `make run` and `make test-upy`

PYTHON ?= python3
VENV := .venv/bin
PY := $(VENV)/python
PYTEST := $(PY) -m pytest
RUN_SET := .venv/.set-run
DEV_SET := .venv/.set-dev
BROWSER_SET := .venv/.set-browser
CHECKED := firmware boards tools host_tests
SHELL := /bin/sh
export MICROPYTHON

# From the command line only: shells have variables of these names for purposes of their own.
said = $(if $(filter command line,$(origin $(1))),$(if $($(1)),$(2)))
METER := $(call said,PORT,--serial '$(PORT)') $(call said,HOST,--host '$(HOST)') \
	$(call said,BAUD,--baud '$(BAUD)') $(call said,OPTICAL,--optical) $(call said,HDLC,--hdlc) \
	$(call said,ADDRESS,--address '$(ADDRESS)') $(call said,PASSWORD,--password '$(PASSWORD)')
CHANGING := $(call said,CHANGE,--change)
BOARD_PORT = $(call said,BOARD,'$(BOARD)') $(call said,PORT,--port '$(PORT)')

# A misspelled word would be passed over in silence.
WORDS := ADDRESS ARGS BAUD BOARD CHANGE CHROMIUM FILE HDLC HOST MICROPYTHON N OPTICAL PASSWORD PORT PYTHON SHELL VENV
$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(if $(filter $(WORDS),$(name)),,\
	$(error there is no $(name)=, only $(addsuffix =,$(WORDS))))))

.DEFAULT_GOAL := help
.PHONY: help setup run format test test-unit test-unit-all test-upy test-arm test-sim check lint \
	types mpy boards image flash docs size rows measure accuracy objects events storage map conformance year fuzz bench \
	tariff tariff-pictures screenshot look screens pictures clean

help: ## list the targets and the words that they take
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | \
		awk -F ':.*## ' '{ printf "  %-14s %s\n", $$1, $$2 }'
	@echo && sed -n '2,/^$$/s/^#//p' Makefile

$(RUN_SET): pyproject.toml tools/setup_env.py
	@$(PYTHON) tools/setup_env.py run

$(DEV_SET): pyproject.toml tools/setup_env.py $(RUN_SET)
	@$(PYTHON) tools/setup_env.py dev

$(BROWSER_SET): pyproject.toml tools/setup_env.py $(DEV_SET)
	@$(PYTHON) tools/setup_env.py browser

setup: $(RUN_SET) $(DEV_SET) $(BROWSER_SET) ## make .venv with everything; quick when nothing changed

run: $(RUN_SET) ## start the virtual meter (ARGS="--ports 5000 ..."), Ctrl-C ends it
	@$(VENV)/virtual-meter $(ARGS)

test: $(BROWSER_SET) ## all tests, three lots at a time; each lot's output follows when it is done
	@echo 'three lots of tests run at a time; each says what it found when it is done, after some minutes'
	@$(MAKE) --no-print-directory --keep-going --jobs=3 --output-sync=target \
		$(if $(filter command line,$(origin PYTHON)),test-unit,test-unit-1 test-unit-2) test-sim-1 \
		test-sim-2 test-sim-3 test-upy test-arm

test-unit: $(DEV_SET) ## unit tests on CPython
	$(if $(filter command line,$(origin PYTHON)),$(PY) tools/test_pythons.py $(PYTHON),\
		$(PYTEST) host_tests/unit)

test-unit-%: $(DEV_SET)
	$(PYTEST) host_tests/unit --part $*/2

test-unit-all: $(DEV_SET) ## unit tests on every CPython from 3.10 to 3.13 that is installed
	$(PY) tools/test_pythons.py

test-upy: $(DEV_SET) ## tests on the MicroPython unix port
	$(PY) host_tests/on_target/run_tests.py

test-arm: $(DEV_SET) ## compiled kernels in an emulated Cortex-M
	$(PYTEST) host_tests/arm

test-sim: $(BROWSER_SET) ## the virtual meter through its ports; PORT= or HOST=: a real one through its own
	$(PYTEST) host_tests/system $(METER) $(CHANGING)

test-sim-%: $(BROWSER_SET)
	$(PYTEST) host_tests/system --part $*/3

check: lint types mpy boards size rows map look ## style, types, boards, cross-compiling, sizes, ledger, faceplate

lint: $(DEV_SET) ## ruff, its formatter, codespell
	$(VENV)/ruff check $(CHECKED)
	$(VENV)/ruff format --check $(CHECKED)
	$(VENV)/codespell $(CHECKED) docs *.md Makefile

format: $(DEV_SET) ## let ruff format and sort imports
	$(VENV)/ruff check --fix --select I $(CHECKED)
	$(VENV)/ruff format $(CHECKED)

types: $(DEV_SET) ## pyright strict: firmware against both board families' stubs, tools
	$(VENV)/pyright -p pyproject.toml
	$(VENV)/pyright -p pyright_stm32.json
	$(VENV)/pyright -p pyright_sim.json
	$(VENV)/pyright -p pyright_tools.json

mpy: $(DEV_SET) ## cross-compile every firmware file; import each once
	$(PY) tools/mpy_check.py

boards: $(DEV_SET) ## run every board.py against its processor's pins; its manifest and wiring table
	@$(PY) tools/board_check.py $(call said,BOARD,'$(BOARD)')

image: $(DEV_SET) ## compile and pack a board's code, sizes, RAM: make image BOARD=pico2_meter (ARGS=--list)
	@$(PY) tools/image.py $(call said,BOARD,'$(BOARD)') $(ARGS)

flash: $(DEV_SET) ## put the meter on a board and start it: make flash BOARD=pico2_meter (PORT=...)
	@$(PY) tools/flash.py $(BOARD_PORT) $(ARGS)

.PHONY: device-test
device-test: $(DEV_SET) ## test the parts of a board, print a report (BOARD=..., PORT=..., ARGS=--switch)
	@$(PY) tools/device_test.py $(BOARD_PORT) $(ARGS)

.PHONY: frozen
frozen: $(DEV_SET) ## before a firmware of one's own is built: write what it holds of ours
	@$(PY) tools/frozen_sources.py $(call said,BOARD,'$(BOARD)')

docs: $(DEV_SET) ## draw each board's wiring from its tables, boards/*/wiring.svg
	@$(PY) tools/wiring.py $(call said,BOARD,'$(BOARD)')

size: $(DEV_SET) ## .mpy sizes per package, heap after start
	$(PY) tools/size.py

rows: $(DEV_SET) ## the feature ledger: rows with and without a test; writes docs/coverage.md
	$(PY) tools/rows.py $(if $(filter rows,$(MAKECMDGOALS)),,--check)

measure: $(DEV_SET) ## measure a recording: make measure FILE=recording.csv
	@test -n "$(FILE)" || { echo 'usage: make measure FILE=recording.csv' >&2; exit 2; }
	$(PY) tools/measure.py "$(FILE)" $(ARGS)

tariff: $(DEV_SET) ## check, show, write and read tariffs (ARGS="show tools/tariffs/seasons.toml")
	@$(PY) tools/tariff.py $(if $(strip $(ARGS)),$(ARGS) $(METER),--help)

.PHONY: calibrate read
read: $(DEV_SET) ## what a meter tells over DLMS: PORT= or HOST= (ARGS="1-0:1.8.0": all of an object; ARGS=--all)
	@$(PY) tools/read_meter.py $(ARGS) $(METER)

calibrate: $(DEV_SET) ## calibrate a meter: PORT= or HOST=, readings are typed (ARGS="--bench URL": a virtual one)
	@$(PY) tools/calibrate.py $(ARGS) $(METER)

tariff-pictures: $(DEV_SET) ## draw the pictures of docs/tariff.md
	$(PY) tools/tariff.py show tools/tariffs/seasons.toml --year 2027 -o docs/images/tariff-seasons.png
	$(PY) tools/tariff.py show tools/tariffs/largest.toml --year 2027 -o docs/images/tariff-largest.png

accuracy: $(DEV_SET) ## errors at the standards' test points, HTML and PDF (ARGS=--quick)
	@$(PY) tools/accuracy.py $(ARGS) $(METER)

bench: $(DEV_SET) ## the kernel's cost a frame, beside C; the DLMS server beside gurux-dlms, or a real one
	$(if $(strip $(METER)),,$(PYTEST) -q -s host_tests/arm -k "instructions or budget")
	$(PY) tools/bench_dlms.py $(METER)

objects: $(DEV_SET) ## write the object model to docs/objects.md
	$(PY) tools/objects.py

events: $(DEV_SET) ## make the meter's table of events and docs/events.md from events.csv
	$(PY) tools/events.py

conformance: $(DEV_SET) ## the published conformance cases by name, over TCP and RS485
	$(PY) tools/conformance.py $(ARGS) $(METER) $(CHANGING)

storage: $(DEV_SET) ## write the map of FRAM and flash to docs/storage.md (ARGS=--bench measures)
	$(PY) tools/storage.py $(ARGS)

map: $(DEV_SET) ## compare docs/storage.md and docs/menu-tree.md with what they tell of
	$(PY) tools/storage.py --check
	$(PY) tools/menus.py --check

.PHONY: menus
menus: $(DEV_SET) ## write the tree of menus to docs/menu-tree.md
	$(PY) tools/menus.py

year: $(DEV_SET) ## a simulated year: clock and power; ARGS=--meter: registration, by an own model
	$(PY) tools/year.py $(ARGS)

N ?= 10000000
fuzz: $(DEV_SET) ## mutated octets into the DLMS server and its links (N=10000000)
	$(PY) tools/fuzz.py --count $(N) $(ARGS)

screenshot: $(BROWSER_SET) ## render the faceplate to docs/images/faceplate.png
	$(PY) tools/screenshot.py --write

look: $(BROWSER_SET) ## render the faceplate and compare the glass with the register
	$(PY) tools/screenshot.py

screens: $(DEV_SET) ## draw every picture of the display on one sheet, build/screens.png
	$(PY) tools/screens.py --out build/screens.png

pictures: $(DEV_SET) ## record the display's pictures that tests compare with; look before
	$(PY) tools/screens.py --record

.DEFAULT:
	@echo "there is no '$@'; make help lists what there is" >&2; exit 2

clean: ## remove everything that was made, the meter's state too
	rm -rf .venv .state build typings_* .pytest_cache .ruff_cache .hypothesis
	find firmware boards tools host_tests -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: torture
torture: $(DEV_SET) ## power cuts at any byte, and what they cost (N=10000)
	$(PY) tools/torture.py --count $(if $(filter command line,$(origin N)),$(N),10000) $(ARGS)
