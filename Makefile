# make demo   makes the environment, trains on a synthetic clip, leaves a picture and says where
# make test   makes the environment, runs the tests
#
# PYTHON  the interpreter that the environment is made from
# VENV    where the environment lives
# STACK   2.15 or 2.21: that TensorFlow stack whatever Python's version (as CI does); else Python's version decides

PYTHON ?= python3
VENV ?= .venv
STACK ?=

READY := $(VENV)/.ready
# What only the tests need beside it.
READY_TO_TEST := $(VENV)/.ready-to-test

.PHONY: demo test lint clean

demo: $(READY)
	$(VENV)/bin/python -m tf_unseen_pose demo -o demo

test: $(READY_TO_TEST)
	$(VENV)/bin/python -m pytest

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

$(READY): requirements.txt .ci/stack.py
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip packaging
	$(VENV)/bin/python .ci/stack.py $(STACK) > $(VENV)/requirements.txt
	$(VENV)/bin/python -m pip install --quiet -r $(VENV)/requirements.txt
	touch $@

$(READY_TO_TEST): $(READY) requirements-beam.txt
	$(VENV)/bin/python -m pip install --quiet -r $(VENV)/requirements.txt -r requirements-beam.txt
	touch $@

clean:
	rm -rf $(VENV) demo
