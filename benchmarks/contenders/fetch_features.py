"""Copies the features that this project computed on another engine to Postgres, where they are compared.

``python fetch_features.py ENGINE`` runs in the folder in which the engine was measured.
"""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import psycopg2

COLUMNS = {
    "user_id": "bigint",
    "total_experiments": "bigint",
    "avg_experiment_run_time": "double precision",
    "total_experiment_run_time": "numeric",
    "distinct_compounds": "bigint",
    "most_common_compound_id": "bigint",
    "most_common_compound_name": "text",
    "most_common_compound_ids": "text",
    "most_common_compound_experiments": "bigint",
}


def of_duckdb(query: str) -> Iterable[tuple]:
    import duckdb

    return duckdb.connect("engine.duckdb", read_only=True).execute(query).fetchall()


def of_spark(query: str) -> Iterable[tuple]:
    from pyspark.sql import SparkSession

    folder = Path.cwd() / "spark"
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
        .config("spark.driver.extraJavaOptions", f"-Dderby.system.home={folder}")
        .config("spark.sql.catalogImplementation", "hive")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    return map(tuple, session.sql(query).toLocalIterator())


def main(engine: str) -> None:
    rows = {"duckdb": of_duckdb, "spark": of_spark}[engine](f"select {', '.join(COLUMNS)} from {os.environ['FEATURES_SCHEMA']}.user_features")
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    text.seek(0)
    table = f"{engine}_engine_user_features"
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        cursor.execute(f"drop table if exists {table}; create table {table} ({columns})")
        cursor.copy_expert(f"copy {table} from stdin with (format csv)", text)


if __name__ == "__main__":
    main(sys.argv[1])
