"""dbt without this project's changes, on a project that has the three files as seeds and nothing else.

``python stock_dbt.py FOLDER COMMAND...`` stands for ``dbt COMMAND...``; it creates the project in the current folder
unless it exists, with the files of FOLDER as seeds.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

# Every column as text, as in this project; otherwise dbt would guess types, which takes longer.
PROJECT = """
name: stock_dbt
profile: experiment_features
flags:
  send_anonymous_usage_stats: false
seeds:
  stock_dbt:
    users:
      +column_types: {user_id: text, name: text, email: text, signup_date: text}
    user_experiments:
      +column_types: {experiment_id: text, user_id: text, experiment_compound_ids: text, experiment_run_time: text}
    compounds:
      +column_types: {compound_id: text, compound_name: text, compound_structure: text}
"""
MODULE = "dbt_experiment_features"


def main(folder: Path, *command: str) -> None:
    project = Path("dbt_project.yml")
    if not project.exists():
        project.write_text(PROJECT)
        # A link, because dbt would write over the files of an absolute seed path.
        Path("seeds").symlink_to(folder)

    # dbt imports each installed module whose name begins with dbt_, so this hides the module of this project.
    if module := find_spec(MODULE):
        sys.path.remove(str(Path(module.origin).parent))
    from dbt.cli.main import dbtRunner

    done = dbtRunner().invoke(list(command))
    if MODULE in sys.modules:
        sys.exit(f"{MODULE} was imported, so this was not dbt as it comes.")
    sys.exit(not done.success)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
