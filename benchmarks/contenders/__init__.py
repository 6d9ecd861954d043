"""The contenders: one entry each in CONTENDERS. To measure another engine, add an entry."""

from __future__ import annotations

from dataclasses import dataclass

CLEAN = "clean"

FEATURES = "From the three files to one row of features per user"
LOADING = "Loading the files"
COMMANDS = "Commands, on ten rows"

DBT_SEED = "dbt seed"
DBT_SEED_AND_RUN = "dbt seed && dbt run"
DBT_VERSION = "dbt --version"
DUCKDB_RUN = "dbt run, duckdb"
DUCKDB_SEED = "dbt seed, duckdb"
DUCKDB_READ = "read_csv of duckdb"
PSQL_COPY = "psql \\copy"
STOCK_DBT_SEED = "stock dbt seed"
PANDAS = "pandas"

# The engines of this project, besides Postgres.
ENGINES = ("duckdb", "spark")

# The contender that the others of a job are compared with.
REFERENCES = {FEATURES: DBT_SEED_AND_RUN, LOADING: DBT_SEED, COMMANDS: DBT_VERSION}


@dataclass(frozen=True)
class Contender:
    """One way to do a job, run as a process.

    In commands, {project}, {contenders} and {seeds} stand for folders; {seeds} is the folder of the input files.

    Args:
        name: its name in the results.
        job: FEATURES, LOADING or COMMANDS.
        command: the command to measure.
        form: the form of the input files, one that generate.py knows.
        engine: one of ENGINES if this project runs on it; empty on Postgres, and for all other contenders.
        schema: FEATURES_SCHEMA for dbt, which works in a folder of the same name; contenders may share them.
        prepare: a command that runs once in this folder, before all measurements of a size.
        before: SQL that runs before each measurement.
        features: the table with the features, which have to agree with those of this project for every user.
        finish: a command that creates this table from what was measured; it runs once.
        loaded: a table that has to have as many rows as user_experiments.csv.
        reports: who reports how long loading user_experiments.csv took: "dbt", "psql" or nobody. With "nodes", it is the
            time from dbt's first node to its last, shown in the same column.
        most_rows: for larger sizes, it is measured at this number of rows instead, together with the reference of its job.
        only_rows: it is measured at this number of rows, and at no other.
    """

    name: str
    job: str
    command: tuple[str, ...]
    form: str = CLEAN
    engine: str = ""
    schema: str = "features"
    prepare: tuple[str, ...] = ()
    before: str = ""
    features: str = ""
    finish: tuple[str, ...] = ()
    loaded: str = ""
    reports: str = ""
    most_rows: int | None = None
    only_rows: int | None = None


# Parsing the project is not measured: dbt does it once at its first start.
DBT_PARSE = ("dbt", "parse", "--project-dir", "{project}")
# The other engines keep their data in the folder in which they are measured.
ENGINE_FOLDERS = 'DUCKDB_FILE="$PWD/engine.duckdb" SPARK_FOLDER="$PWD/spark"'
SEED_AND_RUN_ON = f'export {ENGINE_FOLDERS}; dbt seed --project-dir "$0" --target "$1" && dbt run --project-dir "$0" --target "$1"'

CONTENDERS = [
    Contender(
        name=DBT_SEED_AND_RUN,
        job=FEATURES,
        command=("sh", "-c", 'dbt seed --project-dir "$0" && dbt run --project-dir "$0"', "{project}"),
        prepare=DBT_PARSE,
        features="features.user_features",
    ),
    *(
        Contender(
            name=name,
            job=FEATURES,
            command=("python", f"{{contenders}}/{name}_script.py", "{seeds}"),
            before=f"drop table if exists {name}_user_features",
            features=f"{name}_user_features",
        )
        for name in (PANDAS, "polars", "duckdb")
    ),
    *(
        Contender(
            name=f"{DBT_SEED_AND_RUN}, {engine}",
            job=FEATURES,
            command=("sh", "-c", SEED_AND_RUN_ON, "{project}", engine),
            engine=engine,
            schema=f"on_{engine}",
            prepare=(*DBT_PARSE, "--target", engine),
            features=f"{engine}_engine_user_features",
            finish=("python", "{contenders}/fetch_features.py", engine),
        )
        for engine in ENGINES
    ),
    Contender(
        name=DBT_SEED,
        job=LOADING,
        command=("dbt", "seed", "--project-dir", "{project}"),
        prepare=DBT_PARSE,
        reports="dbt",
    ),
    *(
        Contender(
            name=f"{DBT_SEED}, {form}",
            job=LOADING,
            command=("dbt", "seed", "--project-dir", "{project}"),
            form=form,
            prepare=DBT_PARSE,
            features="features.user_features",
            finish=("dbt", "run", "--project-dir", "{project}"),
            reports="dbt",
        )
        for form in ("published", "quoted")
    ),
    *(
        Contender(
            name=f"{DBT_SEED}, {form}", job=LOADING, command=("dbt", "seed", "--project-dir", "{project}"), form=form, prepare=DBT_PARSE, reports="dbt",
        )
        for form in ("extra", "trailing", "stray", "blank", "odd", "inside", "gzip")
    ),
    Contender(
        name=DUCKDB_SEED,
        job=LOADING,
        command=("sh", "-c", f'export {ENGINE_FOLDERS}; dbt seed --project-dir "$0" --target duckdb', "{project}"),
        engine="duckdb",
        schema="seed_on_duckdb",
        prepare=(*DBT_PARSE, "--target", "duckdb"),
        reports="dbt",
    ),
    Contender(
        name=DUCKDB_READ, job=LOADING, command=("python", "{contenders}/duckdb_read.py", "{seeds}"), reports="psql",
    ),
    Contender(
        name=PSQL_COPY,
        job=LOADING,
        command=(
            "psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--command=\\timing on",
            "--command=\\copy psql_copy from '{seeds}/user_experiments.csv' with (format csv, header)",
        ),
        before="""
            create table if not exists psql_copy (
                experiment_id text, user_id text, experiment_compound_ids text, experiment_run_time text
            );
            truncate psql_copy
        """,
        loaded="psql_copy",
        reports="psql",
    ),
    Contender(
        name=STOCK_DBT_SEED,
        job=LOADING,
        command=("python", "{contenders}/stock_dbt.py", "{seeds}", "seed"),
        schema="stock",
        prepare=("python", "{contenders}/stock_dbt.py", "{seeds}", "parse"),
        loaded="stock.user_experiments",
        reports="dbt",
        # It loads a few thousand rows a second.
        most_rows=100_000,
    ),
    Contender(name=DBT_VERSION, job=COMMANDS, command=("dbt", "--version"), schema="commands", prepare=DBT_PARSE, only_rows=10),
    *(
        Contender(
            name=f"dbt {command}",
            job=COMMANDS,
            command=("dbt", command, "--project-dir", "{project}"),
            schema="commands",
            prepare=DBT_PARSE,
            only_rows=10,
        )
        # Tests need what a build has created.
        for command in ("build", "test")
    ),
    Contender(
        name="make run", job=COMMANDS, command=("make", "--directory", "{project}", "run"), schema="commands", prepare=DBT_PARSE, only_rows=10,
    ),
    Contender(
        name=DUCKDB_RUN,
        job=COMMANDS,
        command=("sh", "-c", f'export {ENGINE_FOLDERS}; dbt run --project-dir "$0" --target duckdb', "{project}"),
        engine="duckdb",
        schema="run_on_duckdb",
        prepare=("sh", "-c", f'export {ENGINE_FOLDERS}; dbt seed --project-dir "$0" --target duckdb', "{project}"),
        reports="nodes",
    ),
]  # fmt: skip
