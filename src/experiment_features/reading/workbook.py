"""The cells of a sheet in an Excel workbook, as Excel shows them."""

from __future__ import annotations

import functools
import io
import re
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from experiment_features.reading.files import UNPACKING_ERRORS, require_text
from experiment_features.reading.text import WHITE_SPACE, ReadingError

# In a workbook: a formula, the start of a cell with an error, and a cell in a column after Z.
FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
ERROR = re.compile(rb"""(<(?:\w+:)?c(?: [^>]*?)?) t=["']e["']""")
FAR_CELL = re.compile(rb""" r=["']([A-Z]{2,3})[0-9]""")
# Asks Excel to calculate the formulas, because the program that wrote the workbook has not.
TO_CALCULATE = re.compile(rb"""fullCalcOnLoad=["'](?:1|true)""")
# The text of a cell whose formula has no result.
NOT_CALCULATED = "\0="
GROUP_LIKE = re.compile(r"[1-9]\d{0,2}\.\d{3}")
# Each takes about 30 bytes of memory, whether it is filled or not.
MOST_CELLS = 50_000_000


def sheet(path: Path, table: str, decimal_mark: str) -> list[list[str]]:
    """All rows, including empty ones, of the sheet that has the name of the table, or of the only sheet. Raises ReadingError if there is none."""
    import python_calamine

    try:
        parts = _parts_of_workbook(path)
        workbook = python_calamine.CalamineWorkbook.from_object(_with_errors_as_text(parts))
        named = [name for name in workbook.sheet_names if name.strip().lower() == table.lower()]
        if not named and len(workbook.sheet_names) > 1:
            raise ReadingError(f"it has the sheets {', '.join(workbook.sheet_names)}, and none is named {table}; rename one of them.")
        place = workbook.sheet_names.index((named or workbook.sheet_names)[0])
        content = parts.get(_member_of_sheet(parts, place), b"")
        _require_small(content)
        rows = workbook.get_sheet_by_index(place).to_python(skip_empty_area=False)
        for row, column in _cells_without_result(parts, content):
            # calamine ends the sheet at its last cell with a value.
            rows += [[] for _ in range(row + 1 - len(rows))]
            rows[row] += [""] * (column + 1 - len(rows[row]))
            rows[row][column] = NOT_CALCULATED
    except (python_calamine.CalamineError, ElementTree.ParseError, LookupError, *UNPACKING_ERRORS) as error:
        raise ReadingError(f"it cannot be read as an Excel workbook ({error}); save it again, or as CSV.") from None
    return [[_shown(cell, decimal_mark).strip(WHITE_SPACE) for cell in row] for row in rows]


def _parts_of_workbook(path: Path) -> dict[str, bytes]:
    if not zipfile.is_zipfile(path):
        with open(path, "rb") as file:
            require_text(file)
        raise ReadingError("it is not an Excel workbook, although its name says so; rename it, for example to end in .csv.")
    with zipfile.ZipFile(path) as workbook:
        return {name: workbook.read(name) for name in workbook.namelist()}


def _with_errors_as_text(parts: dict[str, bytes]) -> IO[bytes]:
    """A copy of a workbook in which cells such as #DIV/0! are text; calamine reads errors as empty."""
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w") as workbook:
        for name, content in parts.items():
            workbook.writestr(name, ERROR.sub(rb'\1 t="str"', content) if name.startswith("xl/worksheets/") else content)
    copy.seek(0)
    return copy


def _member_of_sheet(parts: dict[str, bytes], place: int) -> str:
    """The name of the file in a workbook that has a sheet; empty if the workbook is not XML."""
    if "xl/workbook.xml" not in parts:
        return ""
    links = {link.get("Id"): link.get("Target", "") for link in ElementTree.fromstring(parts["xl/_rels/workbook.xml.rels"])}
    sheets = [sheet for sheet in ElementTree.fromstring(parts["xl/workbook.xml"]).iter() if sheet.tag.endswith("}sheet")]
    target = links.get(next((value for name, value in sheets[place].items() if name.endswith("}id")), None), "")
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _require_small(content: bytes) -> None:
    """Raises ReadingError if a sheet has a cell so far away that the empty ones before it do not fit into memory."""
    last = max((found[1].decode() for found in FAR_CELL.finditer(content)), key=_column, default="Z")
    rows = re.findall(rb"""<(?:\w+:)?row [^>]*?\br=["'](\d+)""", content) if last != "Z" else []
    if rows and _column(last) * max(map(int, rows)) > MOST_CELLS:
        raise ReadingError(
            f"its cells reach as far as column {last} and row {max(map(int, rows))}; delete the columns and rows outside the table, or save it as CSV."
        )


def _column(letters: str) -> int:
    return functools.reduce(lambda number, letter: 26 * number + ord(letter) - 64, letters, 0)


def _cells_without_result(parts: dict[str, bytes], content: bytes) -> list[tuple[int, int]]:
    """Row and column, from 0, of the cells of a sheet whose formula has not been calculated.

    Until Excel opens the workbook, programs write nothing as the result, or 0 and a request to calculate (such as XlsxWriter), or 0.0 for all
    (Apache POI).
    """
    if not FORMULA.search(content):
        return []
    found, row = [], 0
    for _, element in ElementTree.iterparse(io.BytesIO(content)):
        if element.tag.rpartition("}")[2] == "row":
            row, column = int(element.get("r") or row + 1), 0
            for cell in element:
                column = _column((cell.get("r") or "").rstrip("0123456789")) or column + 1
                texts = {part.tag.rpartition("}")[2]: part.text or "" for part in cell}
                if "f" in texts:
                    found.append((row - 1, column - 1, texts.get("v", ""), cell.get("t")))
            element.clear()
    is_zero_unknown = TO_CALCULATE.search(parts["xl/workbook.xml"]) or all(result == "0.0" for *_, result, _ in found)
    return [(row, column) for row, column, result, kind in found if (kind != "str" if not result else is_zero_unknown and result in ("0", "0.0"))]


def _shown(cell: object, decimal_mark: str) -> str:
    """The text that Excel shows: whole numbers without decimals, dates without a time of day; 1.5 as 15e-1 where a point groups digits."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        # Excel keeps 15 digits. A longer id is already rounded, so it must not pass for one.
        return str(int(cell)) if abs(cell) < 1e15 else f"{cell:.14E}"
    if isinstance(cell, float) and decimal_mark == ",":
        # Written with a comma, a number that Excel made of a list of two ids would pass for that list.
        sign, digits, exponent = Decimal(str(cell)).as_tuple()
        return f"{'-' * sign}{''.join(map(str, digits))}e{exponent}"
    # A cell that is a number has a decimal point, which must not pass for one that groups digits.
    text = f"{cell}0" if isinstance(cell, float) and GROUP_LIKE.fullmatch(str(cell)) else str(cell)
    return text.removesuffix(" 00:00:00") if isinstance(cell, datetime) else text.replace("_x000D_", "\r")
