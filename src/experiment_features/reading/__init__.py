"""Turns files, as people export them, into rows: one reader for all engines.

In the order of the work: `locations` finds the files of a table, local or remote; `files` opens them, compressed or not; `text`
splits them into lines, records and cells, or `workbook` reads the cells of a sheet; `header` names the columns; `form` converts the
rows of one file, and `rows` is the stream of them all. Every error is a `ReadingError`.
"""

from experiment_features.reading.rows import Rows

__all__ = ["Rows"]
