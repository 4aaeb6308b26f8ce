# make setup: an environment in .venv        make test: the tests, in two processes (WORKERS=N: in more)
# make torture: failing disks, kills and mutated audio by the hundred (RELIABILITY.md); within an hour on two cores
# make lint: ruff, types (mypy), dead code (vulture)        make format: let ruff mend what it can
# make coverage: the tests, and which lines they reach, in commands' own processes too; 92 % at least
# make demo: a first look in minutes, in DEMO        make demo-full: the long version, with cover songs, within an hour
# make bench: what is fast against what is plain, in benchmarks/results
# make compare-demo: PEMR and nine other pretraining methods on that corpus; in DEMO/methods
PYTHON ?= python3
BIN := .venv/bin
DEMO ?= demo
WORKERS ?= 2
TORCH := $(shell grep '^torch==' constraints.txt)

.PHONY: setup test test-browser test-all coverage torture lint format demo demo-full bench compare-demo

setup: .venv/ready

# torch first and by itself: an exact request takes a CPU wheel where one is at hand. Beside that one torchaudio's
# native part, which is linked against CUDA, cannot be loaded and keeps torchaudio from being imported: without it,
# torchaudio does without.
.venv/ready: setup.cfg constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'constraints.txt is of Python 3.11 to 3.13: make setup PYTHON=python3.12' >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .[dev,demo]
	$(BIN)/python -c 'import torchaudio' 2> /dev/null || rm -f .venv/lib/python3.*/site-packages/torchaudio/lib/_torchaudio*.so
	$(BIN)/python -c 'import torchaudio'
	touch $@

test: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

# pages in a headless Chromium (Debian's package chromium)
test-browser: .venv/ready
	$(BIN)/python -m pytest tests/explain -k browser -rs

test-all: .venv/ready
	$(BIN)/python -m pytest --runslow

coverage: .venv/ready
	$(BIN)/python -m pytest --cov --cov-report=term

torture: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --torture -s tests/torture

lint: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/vulture

format: .venv/ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

demo: .venv/ready
	$(BIN)/python -m s3prl_pemr demo $(DEMO)

demo-full: .venv/ready
	$(BIN)/python -m s3prl_pemr demo --full $(DEMO)-full

bench: .venv/ready
	mkdir -p benchmarks/results
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/bench_step.py --json benchmarks/results/step.json --plot benchmarks/results/cost.png
	$(BIN)/python benchmarks/bench_supply.py --json benchmarks/results/supply.json --plot benchmarks/results/supply.png
	$(BIN)/python benchmarks/bench_processes.py --json benchmarks/results/processes.json
	$(BIN)/python benchmarks/bench_store.py
	$(BIN)/python benchmarks/bench_prepare.py
	$(BIN)/python benchmarks/bench_feature_cache.py
	$(BIN)/python benchmarks/bench_retrieval.py

compare-demo: .venv/ready
	$(BIN)/python -m s3prl_pemr compare methods_demo --out $(DEMO)/methods
