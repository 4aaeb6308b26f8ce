# make setup: an environment in .venv        make test: the tests
# make lint: ruff format and check           make format: let ruff mend what it can
# make demo: a corpus, PEMR pretrained on it, music tagging and cover songs; in DEMO
# make compare-demo: PEMR and nine other pretraining methods on that corpus, over SEEDS seeds; in DEMO/methods
PYTHON ?= python3
BIN := .venv/bin
DEMO ?= demo
SEEDS ?= 1
TORCH := $(shell grep '^torch==' constraints.txt)

.PHONY: setup test test-all lint format demo compare-demo

setup: .venv/ready

# torch first and by itself: an exact request takes a CPU wheel where one is at hand. Beside that one torchaudio's
# native part, which is linked against CUDA, cannot be loaded and keeps torchaudio from being imported: without it,
# torchaudio does without.
.venv/ready: setup.cfg constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .[dev,demo]
	$(BIN)/python -c 'import torchaudio' 2> /dev/null || rm -f .venv/lib/python3.*/site-packages/torchaudio/lib/_torchaudio*.so
	$(BIN)/python -c 'import torchaudio'
	touch $@

test: .venv/ready
	$(BIN)/python -m pytest

test-all: .venv/ready
	$(BIN)/python -m pytest --runslow

lint: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: .venv/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo: .venv/ready
	$(BIN)/python -m s3prl_pemr demo $(DEMO)

compare-demo: .venv/ready
	$(BIN)/python -m s3prl_pemr compare $(DEMO) --seeds $(SEEDS)
