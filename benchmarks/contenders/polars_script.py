"""The features of every user with Polars, written to the table polars_user_features.

``python polars_script.py FOLDER``; PGHOST and the other PG variables name the server.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl


def main(folder: Path) -> None:
    users = scan_rows(folder / "users.csv", ["user_id"])
    compounds = scan_rows(folder / "compounds.csv", ["compound_id"])
    experiments = scan_rows(folder / "user_experiments.csv", ["experiment_id", "user_id"])
    features = user_features(users, experiments, compounds).collect()
    features.write_database("polars_user_features", "postgresql://", engine="adbc", if_table_exists="replace")


def scan_rows(path: Path, keys: list[str]) -> pl.LazyFrame:
    """The rows of a file whose ids are whole numbers, and for each value of the first id only the first row."""
    return (
        pl.scan_csv(path, infer_schema=False)
        .with_columns(pl.col(keys).cast(pl.Int64, strict=False))
        .drop_nulls(keys)
        .unique(keys[0], keep="first", maintain_order=True)
    )


def user_features(users: pl.LazyFrame, experiments: pl.LazyFrame, compounds: pl.LazyFrame) -> pl.LazyFrame:
    """One row per user: user_id and the features."""
    run_time = pl.col("experiment_run_time").cast(pl.Float64, strict=False)
    experiments = experiments.join(users, on="user_id", how="semi").with_columns(pl.when(run_time >= 0).then(run_time).alias("experiment_run_time"))

    run_time = pl.col("experiment_run_time")
    per_user = experiments.group_by("user_id").agg(
        pl.len().alias("total_experiments"),
        run_time.mean().alias("avg_experiment_run_time"),
        # Otherwise, the sum of unknown run times would be 0.
        pl.when(run_time.count() > 0).then(run_time.sum()).alias("total_experiment_run_time"),
    )

    compound_ids = pl.col("experiment_compound_ids").str.split(";").cast(pl.List(pl.Int64), strict=False)
    uses = (
        experiments.select("user_id", compound_ids.list.unique().alias("compound_id"))
        .explode("compound_id")
        .join(compounds, on="compound_id", how="semi")
        .group_by("user_id", "compound_id")
        .agg(pl.len().alias("experiments"))
    )
    is_most_common = pl.col("experiments") == pl.col("experiments").max()
    most_common_ids = pl.col("compound_id").filter(is_most_common)
    per_user_compounds = uses.group_by("user_id").agg(
        pl.len().alias("distinct_compounds"),
        most_common_ids.min().alias("most_common_compound_id"),
        most_common_ids.sort().cast(pl.String).str.join(";").alias("most_common_compound_ids"),
        pl.col("experiments").max().alias("most_common_compound_experiments"),
    )

    names = compounds.select(
        pl.col("compound_id").alias("most_common_compound_id"),
        pl.col("compound_name").alias("most_common_compound_name"),
    )
    total = pl.when(pl.col("total_experiments").is_null()).then(0.0).otherwise("total_experiment_run_time")
    return (
        users.select("user_id")
        .join(per_user, on="user_id", how="left")
        .join(per_user_compounds, on="user_id", how="left")
        .join(names, on="most_common_compound_id", how="left")
        .with_columns(
            total.alias("total_experiment_run_time"),
            pl.col("total_experiments", "distinct_compounds").fill_null(0),
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
