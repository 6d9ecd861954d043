"""Turns files, as people export them, into rows: one reader for all engines.

`locations` finds the files of a table, local or remote, and opens them, compressed or not; `text` splits them into blocks of
whole UTF-8 lines; `header` finds the separator and the columns; `rows` turns the lines into rows; `workbook` does the same
for a sheet. Every error is a `ReadingError`: a sentence for the user.
"""

from experiment_features.reading.rows import Rows

__all__ = ["Rows"]
