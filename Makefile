# Two commands are enough after cloning:
#   make course   the website, the exercises, a small class graded; all served, the address printed
#   make test     every test
# On Linux without an NVIDIA GPU, TORCH=cpu fetches gigabytes less: make course TORCH=cpu
# Others: setup (.venv only), site, exercises, class, stop, lint, clean;
#   make look     the website while you write it: a saved page is built and shown at once
#   make quick    lint, types, stubs, checks and the command line: under a minute, while you work
#   make test-long  what make test does a part of or leaves out as it takes long
#   make test-processor  what compares numbers, as on an older processor
#   make gpu      every notebook on a GPU; writes the table that the page of times shows
#   make bench    a class graded by plain nbgrader and by this grader, timed; minutes. More:
#                 make bench BENCH="--scale 10000", or BENCH=--help

PYTHON ?= python3
BIN    := .venv/bin
READY  := .venv/.ready
PORT   ?= 8000
TORCH  ?=
SMALL  := --extra-index-url https://download.pytorch.org/whl/cpu
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -q -c constraints.txt

.PHONY: help course look test quick test-long test-processor setup site exercises class stop lint bench gpu clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

setup: $(READY)
	@$(if $(filter setup,$(MAKECMDGOALS)),echo "Ready. Next: source .venv/bin/activate",:)

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = "%d.%d" % sys.version_info[:2]; sys.version_info >= (3, 11) or sys.exit("This course needs Python 3.11 or newer, and $(PYTHON) is " + v + ". Name another: make setup PYTHON=python3.12")'
	@case "$(TORCH)" in ""|cpu) ;; *) echo "TORCH is cpu or left out, not $(TORCH)." >&2; exit 1;; esac
	@echo "Setting up .venv: torch, the book and the grader. A few minutes the first time."
	@if [ "$(TORCH)" = "" ] && [ "$$(uname -s)" = Linux ] && ! [ -e /proc/driver/nvidia ] && ! command -v nvidia-smi >/dev/null; then \
		echo "No NVIDIA driver is here, and torch for Linux may bring CUDA: up to 5 GB. The small one: stop this with Ctrl-C, then  make $(or $(MAKECMDGOALS),setup) TORCH=cpu"; fi
	@$(PYTHON) -m venv .venv
	@$(PIP) $(if $(TORCH),$(SMALL)) -e '.[grading,cluster,postgresql,book,test]' \
		|| { echo "The packages could not be installed: see the lines above. Is there a network? Run the same command again; what was fetched is kept." >&2; exit 1; }
	@touch $(READY)

course: setup
	@$(BIN)/python -m tools.demonstration --port $(PORT)

look: setup
	@$(BIN)/python -m tools.look --port $(PORT)

site: setup
	@$(BIN)/python -m tools.demonstration --only site

exercises: setup
	@$(BIN)/rnncourse release

class: setup
	@$(BIN)/python -m tools.demonstration --only class

stop:
	@$(BIN)/python -m tools.demonstration --only stop

# Several files at a time, each in one process; one torch thread a process. Hundreds of processes
# start, so that what Python has compiled is kept, whatever the environment says.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadscope --no-loadscope-reorder

test: setup lint
	@$(PYTEST) --durations 15

quick: setup lint
	@$(PYTEST) -q -m "not slow" tests/checks tests/test_cli.py tests/test_examples.py tests/test_exercise.py tests/test_nn.py tests/test_package.py

# As on a processor without AVX: torch, oneDNN and MKL choose other instructions, so that sums are
# taken in another order and the last digits of a float differ.
test-processor: setup
	@ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 MKL_ENABLE_INSTRUCTIONS=SSE4_2 $(PYTEST) -q tests/checks tests/test_examples.py tests/test_nn.py tests/test_models.py tests/test_train.py

test-long: setup
	@RNNCOURSE_LONG=1 $(PYTEST) -m long --durations 15

lint: setup
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy --no-error-summary

bench: setup
	@$(BIN)/python -m tools.bench $(BENCH)

gpu: site
	@$(BIN)/python -m tools.gpu

clean:
	rm -rf _build .venv
