"""dbt as it comes, on a project with the three files as seeds and nothing else.

``python stock_dbt.py FOLDER COMMAND...`` stands for ``dbt COMMAND...``; the project is made in the current folder
where it is not there yet, its seeds those of FOLDER.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

# Every column as text, as this project loads them; dbt would guess types otherwise, which takes longer.
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
        # A link, as dbt writes over the files of a seed path that is absolute.
        Path("seeds").symlink_to(folder)

    # dbt imports each installed module whose name begins with dbt_, so this project's has to be out of its sight.
    if module := find_spec(MODULE):
        sys.path.remove(str(Path(module.origin).parent))
    from dbt.cli.main import dbtRunner

    done = dbtRunner().invoke(list(command))
    if MODULE in sys.modules:
        sys.exit(f"{MODULE} was imported, so this was not dbt as it comes.")
    sys.exit(not done.success)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
