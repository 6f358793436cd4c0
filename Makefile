# make demo         makes the environment, re-poses a person, leaves a picture and a video and says where
# make test         makes the environment, runs the tests
# make web         builds the page of serving/on_device and serves it on this machine; needs Node.js and npm
# make pretrained   trains the model that comes along anew and writes it as the next version in saved_models/lite
#
# PYTHON  the interpreter that the environment is made from
# VENV    where the environment lives
# STACK   2.15 or 2.21: that TensorFlow stack whatever Python's version (as CI does); else Python's version decides

PYTHON ?= python3
VENV ?= .venv
STACK ?=
# For `make pretrained`: photograph pairs, videos, and a folder to work in.
EXERCISE_PAIRS ?= ../shared/data/exercise_pairs
VIDEOS ?= ../shared/data/videos/pose_squats.mp4 ../shared/data/videos/balance_cam02.mp4
WORK ?= runs

UNSEEN_POSE := $(VENV)/bin/python -m tf_unseen_pose
READY := $(VENV)/.ready
# What only the tests need beside it.
READY_TO_TEST := $(VENV)/.ready-to-test
PAGE := serving/on_device

.PHONY: demo test web pretrained lint clean

demo: $(READY)
	$(UNSEEN_POSE) demo -o demo

test: $(READY_TO_TEST)
	$(VENV)/bin/python -m pytest

web: $(PAGE)/node_modules/.ready
	cd $(PAGE) && npm run build && npm run preview

# Every step goes on where an earlier call stopped.
pretrained: $(READY)
	mkdir -p $(WORK)
	$(UNSEEN_POSE) prepare $(EXERCISE_PAIRS) --format pairs --register --validation 0.17 -o $(WORK)/pairs
	$(UNSEEN_POSE) prepare --format synthetic --clips 48 --frames 24 --validation 0.17 -o $(WORK)/synth
	$(UNSEEN_POSE) prepare $(VIDEOS) --validation 0 -o $(WORK)/videos
	$(UNSEEN_POSE) prepare $(WORK)/pairs $(WORK)/synth $(WORK)/videos --format dataset -o $(WORK)/mixed
	$(UNSEEN_POSE) train --data $(WORK)/mixed --run $(WORK)/lite --config configs/lite.yaml
	$(UNSEEN_POSE) export $(WORK)/lite -o saved_models/lite

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

$(READY): requirements.txt .ci/stack.py
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip packaging
	$(VENV)/bin/python .ci/stack.py $(STACK) > $(VENV)/requirements.txt
	$(VENV)/bin/python -m pip install --quiet -r $(VENV)/requirements.txt
	touch $@

$(READY_TO_TEST): $(READY) requirements-beam.txt requirements-browser.txt
	$(VENV)/bin/python -m pip install --quiet -r $(VENV)/requirements.txt -r requirements-beam.txt -r requirements-browser.txt
	touch $@

$(PAGE)/node_modules/.ready: $(PAGE)/package-lock.json
	@command -v npm > /dev/null || { echo "make web needs Node.js 20.19 or later and npm (apt-get install nodejs npm)."; exit 1; }
	cd $(PAGE) && npm ci --no-audit --no-fund
	touch $@

clean:
	rm -rf $(VENV) demo
