# make demo: set up .venv and run the main job on a sequence that the package draws itself.
# make test: set up .venv and run the linters, the type checker and the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What the environment is built from: it is rebuilt when one of these changes.
SOURCES := setup.py constraints.txt

.PHONY: demo test lint clean

demo: $(VENV)/.installed
	$(BIN)/python track.py --sequence drawn:blackout-2 --output out --video out/blackout.mp4
	$(BIN)/rgbt compare --sequence drawn:blackout-2 --output out

test: $(VENV)/.installed-test lint
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n 2 --dist loadfile tests

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(VENV)/.installed: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	touch $@

$(VENV)/.installed-test: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[test]"
	touch $(VENV)/.installed $@

clean:
	rm -rf $(VENV) build *.egg-info
