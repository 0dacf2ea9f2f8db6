# Two commands are enough after cloning:
#   make course   the website, the exercises, a small class graded; all served, the address printed
#   make test     every test
# Others: setup (.venv only), site, exercises, class, stop, lint, clean;
#   make bench    a class graded by plain nbgrader and by this grader, timed; minutes. More:
#                 make bench BENCH="--scale 10000", or BENCH=--help

PYTHON ?= python3
BIN    := .venv/bin
READY  := .venv/.ready
PORT   ?= 8000

.PHONY: help course test setup site exercises class stop lint bench clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

setup: $(READY)
	@$(if $(filter setup,$(MAKECMDGOALS)),echo "Ready. Next: source .venv/bin/activate",:)

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = "%d.%d" % sys.version_info[:2]; sys.version_info >= (3, 11) or sys.exit("This course needs Python 3.11 or newer, and $(PYTHON) is " + v + ". Name another: make setup PYTHON=python3.12")'
	@echo "Setting up .venv: torch, the book and the grader. A few minutes the first time."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -q -c constraints.txt -e '.[grading,cluster,postgresql,book,test]' \
		|| { echo "The packages could not be installed: see the lines above. Is there a network? Run the same command again; what was fetched is kept." >&2; exit 1; }
	@touch $(READY)

course: setup
	@$(BIN)/python -m tests.demonstration --port $(PORT)

site: setup
	@$(BIN)/python -m tests.demonstration --only site

exercises: setup
	@$(BIN)/rnncourse release

class: setup
	@$(BIN)/python -m tests.demonstration --only class

stop:
	@$(BIN)/python -m tests.demonstration --only stop

test: setup lint
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --durations 15

lint: setup
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy --no-error-summary

bench: setup
	@$(BIN)/python -m tests.bench $(BENCH)

clean:
	rm -rf _build .venv
