"""The header of a table: its separator, the names of its columns, and why it is not the one expected."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from experiment_features.reading.text import WHITE_SPACE, ReadingError, record_at, shortened

SEPARATORS = ",\t;|"
# What programs append to the name of a column that is spread over several, or given again: `_2`, `.1`, `[0]`, `(2)`, `_duplicated_0`, `_x`.
NUMBERED = r"(_?duplicated)?[\W_]*\d+\W*"
LETTERED = r"_[abxy]"


def name_of(cell: str) -> str:
    """The normalized name of a column: `User ID` becomes user_id. Invisible characters are dropped."""
    seen = "".join(character for character in cell if unicodedata.category(character) != "Cf")
    return re.sub(r"[\s.\-\u2010-\u2015]+", "_", seen.lower())


def separator_of(text: str, wanted: Sequence[str] = ()) -> str:
    """Comma, tab, semicolon or pipe: the one that splits a header into the wanted columns, or else the first that occurs outside quotes."""
    outside = re.sub(r'"[^"]*"?', "", text)
    found = [mark for mark in SEPARATORS if mark in outside]
    for mark in found:
        if wanted and (record := record_at(text.encode(), 0, mark)) and _has_all(wanted, record[0]):
            return mark
    return found[0] if found else ","


def _has_all(wanted: Sequence[str], cells: Iterable[str]) -> bool:
    return set(wanted) <= {name_of(cell.strip(WHITE_SPACE + '"')) for cell in cells}


def require_columns(names: Sequence[str], wanted: Sequence[str], line: int, following: Sequence[str]) -> None:
    """Raises ReadingError unless the header on this line has each wanted column exactly once."""
    columns = f"the columns expected are {', '.join(wanted)}, and those found are {shortened(', '.join(names), 400)}"
    missing = [name for name in wanted if name not in names]
    others = [name for name in names if name not in wanted]
    close = {name: match[0] for name in missing if (match := difflib.get_close_matches(name, others, 1))}
    for name in wanted:
        if names.count(name) > 1:
            raise ReadingError(f"the header on line {line} has the column {name} more than once; {columns}.")
        stem = re.sub(rf"({NUMBERED}|{LETTERED})$", "", close.get(name, "")) if name in missing else name
        suffix = rf"({NUMBERED}|{LETTERED})?" if name in missing else NUMBERED
        spread = [other for other in others if stem and re.fullmatch(re.escape(stem) + suffix, other)]
        if len(spread) > (name in missing):
            raise ReadingError(
                f"the header on line {line} has {', '.join(spread)} {'instead of' if name in missing else 'beside'} {name}, as if one column were "
                "spread over several; join them into one column, or rename the others."
            )
    if not missing:
        return
    if len(names) == 1 and (cell := names[0]):
        inner = separator_of(cell)
        if inner in cell and _has_all(wanted, cell.split(inner)):
            raise ReadingError(f"each line is quoted as a whole (see line {line}); remove the quotes around whole lines.")
        marks = (mark for mark in cell if not mark.isalnum() and mark not in " _\"'" + SEPARATORS)
        if mark := next((mark for mark in marks if _has_all(wanted, cell.split(mark))), ""):
            raise ReadingError(f"the separator seems to be {mark!r} (see line {line}); use a comma, semicolon, tab or pipe instead.")
        if all(name in cell for name in wanted) and not set(cell) & set(SEPARATORS):
            raise ReadingError(f"the columns seem to be separated by spaces (see line {line}); use a comma, semicolon, tab or pipe instead.")
    for offset, text in enumerate(following, 1):
        if _has_all(wanted, text.replace('"', "").split(separator_of(text))):
            raise ReadingError(f"the header seems to be on line {line + offset}, not on line {line}; remove the lines before it.")
    if len(missing) == len(wanted) and any(name.lstrip("+").isdigit() for name in names):
        raise ReadingError(f"line {line} seems to be a row, not a header; add a line above it with the columns {', '.join(wanted)}.")
    hint = f"; perhaps rename {' and '.join(f'{found} to {name}' for name, found in close.items())}." if close else "."
    raise ReadingError(f"the header on line {line} lacks the column {missing[0]}; {columns}{hint}")
