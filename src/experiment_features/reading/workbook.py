"""Reads a sheet of an Excel workbook as records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from experiment_features.reading.errors import ReadingError


def records(path: Path, table: str) -> Iterator[list[str]]:
    """All rows, including empty ones, of the sheet that has the name of the table, or of the only sheet.

    Raises ReadingError if there is no such sheet, or the file is not a workbook.
    """
    import python_calamine

    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
        named = [name for name in workbook.sheet_names if name.strip().lower() == table.lower()]
        if not named and len(workbook.sheet_names) > 1:
            raise ReadingError(f"it has the sheets {', '.join(workbook.sheet_names)}, and none is named {table}; rename one of them.")
        rows = workbook.get_sheet_by_name((named or workbook.sheet_names)[0]).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, OSError) as error:
        raise ReadingError(f"it cannot be read as an Excel workbook ({error}); save it again, or as CSV.") from None
    for row in rows:
        yield [_text(cell) for cell in row]


def _text(cell: object) -> str:
    """The text that Excel shows: whole numbers without decimals, dates without a time of day."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        # Excel keeps 15 digits. A longer id is already rounded, so it must not pass for one.
        return repr(cell) if not cell.is_integer() else str(int(cell)) if abs(cell) < 1e15 else f"{cell:.14E}"
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, (date, time, timedelta)):
        return str(cell)
    return str(cell)
