# `make` alone lists the targets. What each needs is installed into .venv on first use, in the folder that FEATURES_HOME names.
# Paths may contain spaces and quotes, so no path is the name of a target, and each is quoted.
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= $(firstword $(foreach python,python3 python3.13 python3.12 python3.11 python3.10,\
	$(shell $(python) -c 'import sys; (3, 10) <= sys.version_info < (3, 14) and print("$(python)")' 2>/dev/null)) python3)
# The activate script sets defaults for DBT_PROFILES_DIR, and for PGHOST (the project's own Postgres).
HOME_FOLDER := $${FEATURES_HOME:-.}
ACTIVATE := . "$(HOME_FOLDER)/.venv/bin/activate"
PORT ?= 8080
# If ENGINE names an engine other than Postgres, its packages are installed too.
ENGINE ?= postgres
export ENGINE
ENGINE_READY := $(if $(filter postgres,$(ENGINE)),up,$(if $(filter spark,$(ENGINE)),java) installed-$(ENGINE))
INSTALL := scripts/install.sh "$(PYTHON)"

# Without PGHOST, the user names no server, so the other PG* variables do not apply.
ifndef PGHOST
unexport $(filter PG%,$(.VARIABLES))
endif

ifeq ($(filter postgres duckdb spark,$(ENGINE)),)
$(error ENGINE is '$(ENGINE)'; it must be postgres, duckdb or spark)
endif

.PHONY: help run test test-fast lint format serve up down clean show runs rejects roles docs bench parity torture judge lock java
.PHONY: installed installed-duckdb installed-spark installed-service installed-test installed-bench installed-judge

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1:/p' Makefile | while IFS=: read -r target text; do printf 'make %-9s %s\n' "$$target" "$$text"; done

run: $(ENGINE_READY) ## the main job: load the CSV files, build and test every model, print the features
	@echo "Loading the CSV files, building and testing every model ..."
	@# `exec`, so a signal to make reaches dbt.
	@$(ACTIVATE) && export SHOW_FEATURES=20 FEATURES_PROGRESS=1 && exec dbt --log-level warn build --exclude-resource-type unit_test

test: installed-test installed-duckdb installed-service ## every check: lint, dbt's unit and data tests, pytest
	@# Four workers on two cores, since tests spend much of their time waiting. tests/python/conftest.py sets the order.
	@$(ACTIVATE) && python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

test-fast: installed-test installed-duckdb ## the checks to run between edits, in about a minute
	@$(ACTIVATE) && python -m pytest -q -n 2 --dist loadfile $(addprefix tests/python/test_,dbt.py published_input.py accepted.py reading.py files_page.py)

lint: up installed-test installed-service ## check the style of SQL, Python and YAML, and the types in src/
	@$(ACTIVATE) && ruff check && ruff format --check --quiet && mypy && yamllint --strict . && sqlfluff lint --disable-progress-bar models tests/dbt \
		&& check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml && check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

format: up installed-test ## format SQL and Python the way `make lint` wants them
	@$(ACTIVATE) && ruff check --fix --quiet && ruff format --quiet && sqlfluff fix --quiet --disable-progress-bar models tests/dbt

serve: up installed-service ## run the HTTP service on http://localhost:5000 (ETL_PORT) until Ctrl-C
	@$(ACTIVATE) && exec python -m experiment_features.service

up: installed ## start the project's own Postgres, unless PGHOST names another
	@$(ACTIVATE) && python -m experiment_features.postgres up

down: installed ## stop it; its data stays
	@$(ACTIVATE) && python -m experiment_features.postgres down

clean: installed ## stop it and remove it with its data
	@$(ACTIVATE) && python -m experiment_features.postgres clean

show: installed ## print the features table (the first ROWS=20)
	@case "$(ROWS)" in *[!0-9]*) echo "ROWS is '$(ROWS)'; set it to the number of rows to print, such as 20." >&2; exit 1;; esac
	@$(ACTIVATE) && dbt --quiet run-operation show_features --args '{limit: $(or $(ROWS),20)}'

runs: installed ## print the last ten runs
	@$(ACTIVATE) && dbt --quiet run-operation show_runs

rejects: installed ## print the rejected rows of the last run, with the reasons (OUT=rejects.csv: write them to a file)
	@$(ACTIVATE) && REJECTS_FILE="$(OUT)" dbt --quiet run-operation show_rejects

roles: installed ## create the role features_reader, which may read what is published and the run log, and nothing else
	@$(ACTIVATE) && dbt --quiet run-operation create_reader_role

docs: $(ENGINE_READY) ## generate the documentation and serve it on http://localhost:8080 (PORT)
	@$(ACTIVATE) && python -c 'import socket, sys; port = sys.argv[1]; \
		port.isdecimal() and int(port) < 65536 or sys.exit(f"PORT is {port!r}; set it to a number below 65536."); \
		socket.socket().connect_ex(("127.0.0.1", int(port))) or sys.exit(f"Port {port} is in use; set another: make docs PORT=8081")' "$(PORT)"
	@$(ACTIVATE) && dbt docs generate && dbt docs serve --port "$(PORT)"

bench: ## compare the speed with pandas, Polars, DuckDB, psql and stock dbt (at ROWS=1000000)
	@$(INSTALL) .venv-bench requirements/bench.lock requirements/spark.lock
	@"$(HOME_FOLDER)/.venv-bench/bin/python" benchmarks/run.py

parity: java installed-test installed-duckdb installed-spark ## compare what Postgres, DuckDB and Spark compute from several hundred inputs
	@$(ACTIVATE) && python tests/python/parity.py

torture: installed-test installed-duckdb ## kill dbt, cut connections, fill the disk, feed in bad input, and count the failures (FULL=1: more of each)
	@$(ACTIVATE) && python tests/torture/torture.py

# dbt-coverage skips tables whose columns are described elsewhere (each column is described only once) and seeds (their YAML may list only
# the columns to load). It counts unit tests, too, because a column with a constraint needs no data test.
DESCRIBED_ELSEWHERE := seeds models/audit/_history.yml $(addprefix models/intermediate/int_,users compounds experiments)
judge: installed-judge up ## check descriptions, tests and conventions with dbt-score, dbt-coverage and dbt-bouncer
	@# On the sample data, in its own schema and folder, so that it touches nothing of the user's.
	@. "$(HOME_FOLDER)/.venv-judge/bin/activate" \
		&& export ENGINE=postgres FEATURES_SCHEMA=judge SEEDS_DIR=tests/python/published DBT_TARGET_PATH="$$VIRTUAL_ENV/target" \
		&& dbt --quiet build --exclude-resource-type unit_test --exclude-resource-type test && dbt --quiet docs generate \
		&& export DBT_PROJECT_DIR="$$VIRTUAL_ENV" COVERAGE="--cov-fail-under 1 --cov-report /dev/null" \
		&& dbt-score lint --fail-project-under 10 \
		&& dbt-coverage compute doc $$COVERAGE --run-artifacts-dir "$$DBT_TARGET_PATH" $(addprefix --model-path-exclusion-filter ,$(DESCRIBED_ELSEWHERE)) \
		&& dbt-coverage compute unit-test $$COVERAGE --run-artifacts-dir "$$DBT_TARGET_PATH" \
		&& COLUMNS=160 dbt-bouncer run

COMPILE := uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-strip-extras --no-emit-index-url --no-header
lock: ## recompile every lock file from pyproject.toml (needs uv)
	echo uv | $(COMPILE) - --output-file requirements/installer.lock
	$(COMPILE) pyproject.toml --output-file requirements/run.lock
	$(COMPILE) --group duckdb --constraint requirements/run.lock pyproject.toml --output-file requirements/duckdb.lock
	$(COMPILE) --group spark --constraint requirements/run.lock pyproject.toml --output-file requirements/spark.lock
	$(COMPILE) --group service --constraint requirements/run.lock pyproject.toml --output-file requirements/service.lock
	$(COMPILE) --group test --group lint --constraint requirements/service.lock pyproject.toml --output-file requirements/test.lock
	$(COMPILE) --group bench --group duckdb --constraint requirements/spark.lock pyproject.toml --output-file requirements/bench.lock
	$(COMPILE:3.10=3.11) --group judge --constraint requirements/run.lock pyproject.toml --output-file requirements/judge.lock

java:
	@case "$$PWD$$FEATURES_HOME" in *[!A-Za-z0-9/._\ -]*) \
		echo "Spark hands paths to Java and to shells, so their names may hold only letters from A to Z, digits, spaces and . _ -; move the project, or FEATURES_HOME: $$PWD $$FEATURES_HOME" >&2; exit 1;; esac
	@command -v java >/dev/null || { echo "Spark needs Java 17 or later; on Debian and Ubuntu install the package openjdk-17-jre-headless." >&2; exit 1; }

installed:
	@$(INSTALL) .venv requirements/run.lock

installed-duckdb installed-spark installed-service installed-test: installed-%:
	@$(INSTALL) .venv requirements/run.lock requirements/$*.lock

# Without Spark, which the tests of the benchmark do not need.
installed-bench:
	@$(INSTALL) .venv-bench requirements/bench.lock

installed-judge:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "The judges need Python 3.11 to 3.13; name one: make judge PYTHON=python3.13" >&2; exit 1; }
	@$(INSTALL) .venv-judge requirements/judge.lock
