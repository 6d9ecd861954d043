"""The features of every user with pandas, written to the table pandas_user_features.

``python pandas_script.py FOLDER``; PGHOST and the other PG variables name the server.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine


def main(folder: Path) -> None:
    users = read_rows(folder / "users.csv", ["user_id"])
    compounds = read_rows(folder / "compounds.csv", ["compound_id"])
    experiments = read_rows(folder / "user_experiments.csv", ["experiment_id", "user_id"])
    features = user_features(users, experiments, compounds)
    features.to_sql("pandas_user_features", create_engine("postgresql+psycopg2://"), if_exists="replace", index=False)


def read_rows(path: Path, keys: list[str]) -> pd.DataFrame:
    """The rows of a file whose ids are whole numbers, and for each value of the first id only the first row."""
    # Columns that need not be text are left to pandas, which reads numbers faster and stores them more compactly.
    rows = pd.read_csv(path, dtype={"user_id": str, "experiment_compound_ids": str})
    for key in keys:
        rows[key] = pd.to_numeric(rows[key], errors="coerce")
    rows = rows.dropna(subset=keys).drop_duplicates(keys[0])
    return rows.astype(dict.fromkeys(keys, "int64"))


def user_features(users: pd.DataFrame, experiments: pd.DataFrame, compounds: pd.DataFrame) -> pd.DataFrame:
    """One row per user: user_id and the features."""
    experiments = experiments[experiments["user_id"].isin(users["user_id"])]
    run_time = pd.to_numeric(experiments["experiment_run_time"], errors="coerce")
    experiments = experiments.assign(experiment_run_time=run_time.where(run_time >= 0))

    run_times = experiments.groupby("user_id")["experiment_run_time"]
    per_user = pd.DataFrame(
        {
            "total_experiments": run_times.size(),
            "avg_experiment_run_time": run_times.mean(),
            # Without min_count, the sum of unknown run times would be 0.
            "total_experiment_run_time": run_times.sum(min_count=1),
        }
    )

    entries = experiments[["experiment_id", "user_id"]].assign(compound_id=experiments["experiment_compound_ids"].str.split(";")).explode("compound_id")
    entries["compound_id"] = pd.to_numeric(entries["compound_id"], errors="coerce")
    entries = entries[entries["compound_id"].isin(compounds["compound_id"])].astype({"compound_id": "int64"})
    entries = entries.drop_duplicates(["experiment_id", "compound_id"])

    uses = entries.groupby(["user_id", "compound_id"]).size().rename("experiments").reset_index()
    most = uses.groupby("user_id")["experiments"].transform("max")
    most_common = uses[uses["experiments"] == most]
    most_common = most_common.assign(compound_ids=most_common["compound_id"].astype(str)).groupby("user_id")
    per_user_compounds = pd.DataFrame(
        {
            "distinct_compounds": uses.groupby("user_id").size(),
            "most_common_compound_id": most_common["compound_id"].min(),
            "most_common_compound_ids": most_common["compound_ids"].agg(";".join),
            "most_common_compound_experiments": most_common["experiments"].max(),
        }
    )

    features = users[["user_id"]].merge(per_user, on="user_id", how="left")
    features = features.merge(per_user_compounds, on="user_id", how="left")
    without_experiments = features["total_experiments"].isna()
    features.loc[without_experiments, ["total_experiments", "total_experiment_run_time"]] = 0
    features["distinct_compounds"] = features["distinct_compounds"].fillna(0)
    names = compounds.set_index("compound_id")["compound_name"]
    features["most_common_compound_name"] = features["most_common_compound_id"].map(names)
    numbers = ("total_experiments", "distinct_compounds", "most_common_compound_id", "most_common_compound_experiments")
    return features.astype(dict.fromkeys(numbers, "Int64"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
