"""Imported by every dbt process, as dbt does with each installed module named ``dbt_*``.

dbt reads seed files below 1 MiB whole while it parses, and stops with a traceback at one that is
not UTF-8. This project hands the files to the server unread, so dbt is told that each is too large
to read; the loading macro then names the line that is at fault.

``dbt seed --show`` takes the result of an on-run-end hook for that of a seed and stops with a
traceback at it, as it has no table; it is passed over.

The loading macros get ``modules.plain_csv``, ``modules.line_file`` and ``modules.check_readable``, beside
dbt's own ``modules.re`` and the like, since Jinja cannot open a file.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dbt.context.base
import dbt.contracts.files
from dbt.exceptions import DbtRuntimeError
from dbt.task.seed import SeedTask

from experiment_features.line_file import LineFile
from experiment_features.plain_csv import PlainCsv, plain_csv

dbt.contracts.files.MAXIMUM_SEED_SIZE = -1

_show_table = SeedTask.show_table
_modules = dbt.context.base.get_context_modules


def _show_table_of_seed(task: SeedTask, result: Any) -> None:
    if result.agate_table is not None:
        _show_table(task, result)


@contextmanager
def _readable(path: str) -> Iterator[None]:
    """Turns the error of a file that cannot be read into a sentence."""
    try:
        yield
    except OSError as error:
        raise DbtRuntimeError(
            f"{path} cannot be read: {error.strerror}; put the file there, or name its folder in SEEDS_DIR."
        ) from error


def _plain_csv(path: str, columns: Sequence[str]) -> PlainCsv | None:
    with _readable(path):
        return plain_csv(path, columns)


def _line_file(path: str) -> LineFile:
    with _readable(path):
        return LineFile(Path(path))


def _check_readable(path: str) -> None:
    with _readable(path), open(path, "rb"):
        pass


def _modules_and_files() -> dict[str, Any]:
    return {**_modules(), "plain_csv": _plain_csv, "line_file": _line_file, "check_readable": _check_readable}


SeedTask.show_table = _show_table_of_seed
dbt.context.base.get_context_modules = _modules_and_files
