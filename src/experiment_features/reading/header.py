"""Finds the separator and columns of a file, and explains what is wrong with a header that lacks the expected columns."""

from __future__ import annotations

import _csv
import csv
import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from experiment_features.reading.errors import ReadingError
from experiment_features.reading.text import WHITE_SPACE

SEPARATORS = ",\t;|"


class Cells:
    """Splits records that use a given separator."""

    def __init__(self, separator: str) -> None:
        mark = re.escape(separator)
        white = re.escape(WHITE_SPACE.replace(separator, ""))
        # A quoted cell with any text after its closing quote, or an unquoted cell; then the separator.
        self._cell = re.compile(rf'[{white}]*"((?:[^"]|"")*)"((?:[^"{mark}][^{mark}]*)?){mark}|([^{mark}]*){mark}')
        self._separator = separator
        # A backslash before a quote inside a quoted cell, where that quote does not end the cell.
        self.escaped_quote = re.compile(rf'(?:^|{mark})[{white}]*"[^"]*\\"(?![{white}]*(?:{mark}|$))')

    def reader(self, lines: Iterable[str]) -> _csv.Reader:
        return csv.reader(lines, delimiter=self._separator, strict=True)

    def of(self, record: str) -> list[str] | None:
        """The cells of a record, without surrounding white space and quotes; None if a quote is still open at its end."""
        if '"' not in record:
            return [cell.strip(WHITE_SPACE) for cell in record.split(self._separator)]
        cells = []
        for quoted, behind, unquoted in self._cell.findall(record + self._separator):
            cell = unquoted.strip(WHITE_SPACE)
            if cell.startswith('"'):
                return None
            if not unquoted:
                # As in Python's csv module, text after the closing quote belongs to the cell.
                cell = (quoted.replace('""', '"') + behind).strip(WHITE_SPACE)
            cells.append(cell)
        return cells


def separator_of(text: str, wanted: Sequence[str] = ()) -> str:
    """Comma, tab, semicolon or pipe: the one that splits a header into the wanted columns, or else the first that occurs outside quotes."""
    outside = re.sub(r'"[^"]*"?', "", text)
    found = [mark for mark in SEPARATORS if mark in outside]
    for mark in found:
        if wanted and set(wanted) <= {name_of(cell) for cell in Cells(mark).of(text) or ()}:
            return mark
    return found[0] if found else ","


def name_of(cell: str) -> str:
    """The normalized name of a column: `User ID` becomes user_id. Invisible characters are dropped."""
    seen = "".join(character for character in cell if unicodedata.category(character) != "Cf")
    return re.sub(r"[\s.\-\u2010-\u2015]+", "_", seen.lower())


def without_surplus(cells: Sequence[str]) -> list[str]:
    """The cells without trailing empty ones."""
    count = len(cells)
    while count > 1 and not cells[count - 1]:
        count -= 1
    return list(cells[:count])


def require_columns(names: Sequence[str], wanted: Sequence[str], line: int, following: Sequence[str]) -> None:
    """Raises ReadingError unless the header on this line has each wanted column exactly once."""
    expected = f"the columns expected are {', '.join(wanted)}"
    found = ", ".join(names)
    found = f"those found are {found if len(found) <= 400 else found[:400] + '...'}"
    missing = [name for name in wanted if name not in names]
    for name in wanted:
        if names.count(name) > 1:
            raise ReadingError(f"the header on line {line} has the column {name} more than once; {expected}, and {found}.")
        if spread := [other for other in names if re.fullmatch(rf"{re.escape(name)}_\d+", other)]:
            raise ReadingError(
                f"the header on line {line} has {', '.join(spread)} beside {name}, as if one column were spread over several; "
                "join them into one column, or rename the others."
            )
    if not missing:
        return
    if len(names) == 1 and (cell := names[0]):
        inner = separator_of(cell)
        if inner in cell and set(wanted) <= {name_of(part.strip(WHITE_SPACE + '"')) for part in cell.split(inner)}:
            raise ReadingError(f"each line is quoted as a whole (see line {line}); remove the quotes around whole lines.")
        mark = next((mark for mark in cell if not mark.isalnum() and mark not in " _\"'" and set(wanted) <= {name_of(part) for part in cell.split(mark)}), "")
        if mark:
            raise ReadingError(f"the separator seems to be '{mark}' (see line {line}); use a comma, semicolon, tab or pipe instead.")
    for offset, text in enumerate(following, 1):
        cells = text.replace('"', "").split(separator_of(text))
        if set(wanted) <= {name_of(cell.strip(WHITE_SPACE)) for cell in cells}:
            raise ReadingError(f"the header seems to be on line {line + offset}, not on line {line}; remove the lines before it.")
    if len(missing) == len(wanted) and any(name.lstrip("+").isdigit() for name in names):
        raise ReadingError(f"line {line} seems to be a row, not a header; add a line above it with the columns {', '.join(wanted)}.")
    close = [f"{match[0]} to {name}" for name in missing if (match := difflib.get_close_matches(name, [one for one in names if one not in wanted], 1))]
    hint = f"; perhaps rename {' and '.join(close)}." if close else "."
    raise ReadingError(f"the header on line {line} lacks the column {missing[0]}; {expected}, and {found}{hint}")
