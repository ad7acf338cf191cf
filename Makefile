# Every target works from a bare checkout: it makes .venv and installs what it needs.
PYTHON ?= python3
BIN = .venv/bin
# How much of the slow suites `make test` runs, and which part; `make full` runs all of them.
SHARE ?= 0.1
SEED ?= 0

.PHONY: demo full test lint unit cluster locks bench kills proxies

demo: .venv/demo.stamp
	$(BIN)/ec demo

test: .venv/lint.stamp proxies
	$(BIN)/coverage run -m pytest tests/unit -q
	$(BIN)/coverage report
	$(BIN)/python -m pytest tests -q -n auto --dist worksteal --ignore=tests/unit --share $(SHARE) --seed $(SEED)

# Every test there is, on both versions of PostgreSQL; a test of CI is one of these.
full: .venv/lint.stamp proxies
	$(BIN)/python -m pytest tests -q -n auto --dist worksteal
	$(BIN)/python -m pytest tests -q -n auto --dist worksteal --ignore=tests/unit --pg 16

unit: .venv/lint.stamp
	$(BIN)/python -m pytest tests/unit -q

lint: .venv/lint.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# On a real API server of Kubernetes, whose administrator's kubeconfig EXPANDCONTRACT_CLUSTER names. Each test has a
# namespace of its own there. It needs the controllers, the custom resources of Gateway API and Istio, and no node.
cluster: .venv/lint.stamp proxies
	test -n "$(EXPANDCONTRACT_CLUSTER)"
	$(BIN)/python -m pytest tests -q

kills: .venv/lint.stamp
	$(BIN)/python -m pytest tests/crash/test_kill_backfill.py -q --kills 100 --timeout 3600

bench: .venv/bench.stamp
	$(BIN)/python -m tests.benchmarks.worst_wait --json docs/benchmarks/waits.json
	$(BIN)/python -m tests.benchmarks.engine --into docs/benchmarks

locks: .venv/lint.stamp
	$(BIN)/python -m expandcontract.pg.locks docs/reference/locks.md

# HAProxy, nginx and PgBouncer come from the system. Where they can be installed they are; elsewhere their tests say why they are skipped.
proxies:
	@sh tests/switches/install.sh

.venv/%.stamp: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[$*]'
	touch $@
