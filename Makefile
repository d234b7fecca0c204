# Two commands do everything: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OMP_WAIT_POLICY := passive

.PHONY: peers demo test check lint format cases grader-oracle path-promises bad-inputs crash reasons mlflow picture slow slow-full clean

demo: $(VENV)/.installed
	$(BIN)/tierlens run examples/online_retail.yaml --out runs/demo --force

test: check slow

check: lint
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python benchmarks/budgets.py --no-times

slow: $(VENV)/.installed
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m slow --timeout 1500

# The longest of them at their full size: 100,000 customers a scheme against the oracle, 1,000 run files with slips.
slow-full: $(VENV)/.installed
	TIERLENS_FULL=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile -m slow --timeout 6000

format: $(VENV)/.installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

cases: $(VENV)/.installed
	$(BIN)/python -m tierlens.grading.cases tests/schemes

# A second grader, from raw rows and the documents' numbers, against tierlens.
grader-oracle: $(VENV)/.installed
	$(BIN)/python -m tests.grader_oracle

# Every step that `path` offers, applied and graded again; brute force where it offers none.
path-promises: $(VENV)/.installed
	$(BIN)/python -m tests.grading.promises

bad-inputs: $(VENV)/.installed
	$(BIN)/python -m tests.bad_inputs

crash: $(VENV)/.installed
	$(BIN)/python -m tests.crash

# The reasons of the demo and of the simulated shop: what tells them, and whether any sentence breaks a rule.
reasons: demo
	$(BIN)/tierlens run examples/simulated.yaml --out runs/simulated --force --no-track
	$(BIN)/python benchmarks/reasons.py runs/demo runs/simulated

# What benchmarks/features.py is held against; archived, so it stands apart from the environment.
peers: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target build/peers lifetimes==0.11.3 autograd==1.8.0 dill==0.4.0

mlflow: $(VENV)/.installed
	$(BIN)/tierlens mlflow --home runs

# The picture at the head of the README: the first screen of the demo's report, as chromium shows it.
picture: demo
	chromium --headless --no-sandbox --hide-scrollbars --window-size=1100,1000 --screenshot=docs/images/report.png "file://$(CURDIR)/runs/demo/report.html"

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache

$(VENV)/.installed: pyproject.toml constraints.txt
	./.ci/system
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@
