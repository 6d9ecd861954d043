"""Files as people export them, read as rows: one reader for all engines.

`locations` finds the files of a table, near or far, and opens them, whatever they are packed in; `text` makes blocks of
whole UTF-8 lines of them; `header` finds the separator and the columns; `rows` makes rows of the lines; `workbook` does
so for a sheet. All errors are a `ReadingError`, a sentence for the user.
"""

from experiment_features.reading.rows import Rows

__all__ = ["Rows"]
