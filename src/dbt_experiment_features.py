"""Imported by every dbt process, as dbt does with each installed module named ``dbt_*``.

dbt reads seed files below 1 MiB whole while it parses, and stops with a traceback at one that is
not UTF-8. This project hands the files to the server unread, so dbt is told that each is too large
to read; the loading macro then names the line that is at fault.

``dbt seed --show`` takes the result of an on-run-end hook for that of a seed and stops with a
traceback at it, as it has no table; it is passed over.
"""

from typing import Any

import dbt.contracts.files
from dbt.task.seed import SeedTask

dbt.contracts.files.MAXIMUM_SEED_SIZE = -1

_show_table = SeedTask.show_table


def _show_table_of_seed(task: SeedTask, result: Any) -> None:
    if result.agate_table is not None:
        _show_table(task, result)


SeedTask.show_table = _show_table_of_seed
