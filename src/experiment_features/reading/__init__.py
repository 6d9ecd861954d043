"""Turns files, as people export them, into rows: one reader for all engines.

`files` finds the files of a table, local or remote, and opens them, compressed or not; `text` splits them into lines, records
and cells and checks the header; `rows` turns them into the rows of the stream. Every error is a `ReadingError`.
"""

from experiment_features.reading.rows import Rows

__all__ = ["Rows"]
