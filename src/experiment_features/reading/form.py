"""Converts the rows of a file into records of the stream."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from experiment_features.reading.header import name_of, require_columns
from experiment_features.reading.text import WHITE_SPACE, ReadingError, lines_in, record_at
from experiment_features.reading.workbook import NOT_CALCULATED

if TYPE_CHECKING:
    from experiment_features.reading.rows import Rows

# What programs call a column that has no name: pandas, Excel and Power Query, readr, R.
GENERATED_NAME = re.compile(r"(unnamed:_\d+(_level_\d+)?|column_?\d+|_\d+|x_\d+)?")
OPEN_QUOTE = "an unclosed quote, its own or one from a row above"
ESCAPED_QUOTE = "a backslash before a quote inside quotes"


class Form:
    """Converts the rows of one file into records of the stream."""

    def __init__(self, rows: Rows, header: Sequence[str], separator: str, line: int, following: Sequence[str]) -> None:
        self._to, self._separator = rows, separator
        width = max(place for place, cell in enumerate(header, 1) if cell)
        # Number of empty cells after the last column: as in the header or, failing that, in the first row. If only some rows
        # have them, a cell may contain a separator and the last cell may be empty.
        self._surplus = len(header) - width or None
        self._is_surplus_in_header = bool(self._surplus)
        names = [name_of(cell) for cell in header[:width]]
        if not rows.wanted:
            names = [re.sub(r"\W", "_", name) or f"column_{place}" for place, name in enumerate(names, 1)]
        self._names = names
        wanted = rows.wanted or names
        require_columns(names, wanted, line, following)
        if not rows.columns:
            # In the order of the first file, to avoid reordering its rows.
            rows.columns = [name for name in names if name in wanted]
            rows.separator = separator
        self._between = f'"{rows.separator}"'
        # A column without a name may hold what belongs to the column before it, as below header cells merged in Excel.
        given = ["" if name not in wanted and GENERATED_NAME.fullmatch(name) else name for name in names]
        self._unnamed = [place for place, name in enumerate(given) if not name and next(filter(None, given[place::-1]), "") in wanted]
        self._places = [names.index(name) for name in rows.columns]
        self._mark = separator.encode()
        self._marks = self._mark * (width - 1)
        self._separators = {width - 1, len(header) - 1}
        self._not_marks_or_quotes = bytes(set(range(256)) - {self._mark[0], 10, 34})
        self._not_marks_or_ends = bytes(set(range(256)) - {self._mark[0], 10})
        self._key, self._line = names.index(wanted[0]), line
        # The lines of the last blank line, and of what seems to be the header of another table.
        self._blank = self._other_header = 0
        # A row that contains the name of the first column wanted, in any spelling, may be another header.
        self._spellings = [wanted[0].replace("_", mark).encode() for mark in "_ -."]
        self._is_simple = len(rows.columns) > 1 and separator == rows.separator and not self._unnamed
        self._white = [white.encode() for white in WHITE_SPACE if white not in "\r\n" + separator]
        mark = re.escape(separator)
        white = re.escape(WHITE_SPACE.replace(separator, ""))
        # A backslash before a quote inside a quoted cell, where that quote does not end the cell.
        self._escaped_quote = re.compile(rf'(?:^|{mark})[{white}]*"[^"]*\\"(?![{white}]*(?:{mark}|$))')

    def records(self, block: bytes, number: int) -> tuple[bytes, bytes]:
        """The records for whole lines, of which the first has this number, and the lines of a last record that is incomplete.

        Lines of which each is a plain row are converted together, others one by one.
        """
        trimmed = None
        if self._is_simple:
            text = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in block else block
            trimmed = self._trimmed(b"\n" + text + (b"" if text.endswith(b"\n") else b"\n"))
        is_checked = self._other_header or self._blank == number - 1
        if trimmed is not None and not is_checked and (records := self._plain(trimmed)) is not None:
            self._to.count += records.count(b"\n")
            return records, b""
        lines = block.splitlines(keepends=True)
        plain: list[bytes] = []
        odd: Sequence[int] = range(len(lines))
        if trimmed is not None:
            plain = trimmed[1:-1].split(b"\n")
            marks = trimmed[1:].translate(None, self._not_marks_or_ends).split(b"\n")
            may_be_header = self._may_be_header(trimmed)
            is_after_blank = [self._blank == number - 1, *(not line.strip(self._mark + b'"') for line in plain)]
            odd = [
                place for place, line in enumerate(plain)
                if marks[place] != self._marks or b'"' in line or line == self._marks or (may_be_header and self._may_be_header(line))
                or (is_after_blank[place] and not line[:1].isdigit()) or self._other_header
            ]  # fmt: skip
        split = dict(zip(odd, self._split([plain[place] for place in odd]))) if plain and b'"' in block else {}
        out: list[bytes] = []
        place = start = 0
        for stop in [*odd, len(lines)]:
            if place < stop:
                if self._surplus and not self._is_surplus_in_header:
                    raise self._unclear(number + place, len(self._names))
                self._surplus = self._surplus or 0
                out.append(self._picked(b"\n".join(plain[place:stop]) + b"\n"))
                self._to.count += stop - place
                start += sum(map(len, lines[place:stop]))
                place = stop
            if place > stop or place == len(lines):
                # A record that began before has swallowed the line, or it is the end.
                continue
            cells: list[str] = []
            line, reason, taken = lines[place], "", lines[place : place + 1]
            end = start + len(line)
            if b'\\"' in line and self._escaped_quote.search(line.decode()):
                reason = ESCAPED_QUOTE
            elif split and line.rstrip(b"\r\n") == plain[place]:
                cells = split[place]
            else:
                if not (record := record_at(block, start, self._separator)):
                    return b"".join(out), block[start:]
                cells, end = record
                taken = lines[place : place + lines_in(block[start:end])]
            if len(taken) > 1 and self._are_rows(taken):
                out += [self.record([], OPEN_QUOTE, number + place + offset, 1, line) for offset, line in enumerate(taken)]
            else:
                out.append(self.record(cells, reason, number + place, len(taken), block[start:end]))
                if self._other_header == number + place:
                    records, rest = self.records(block[end:], number + place + len(taken))
                    return b"".join([*out, records]), rest
            place, start = place + len(taken), end
        return b"".join(out), b""

    def _split(self, lines: Sequence[bytes]) -> list[list[str]]:
        """The cells of each line; none if a line might not be a whole record. Faster than record_at, but needs lines without white space before quotes."""
        try:
            records = [[cell.strip(WHITE_SPACE) for cell in cells] for cells in csv.reader(map(bytes.decode, lines), delimiter=self._separator, strict=True)]
        except csv.Error:
            return []
        return records if len(records) == len(lines) else []

    def _are_rows(self, lines: Sequence[bytes]) -> bool:
        """Whether a record is several rows, because a quote is open by mistake.

        This is assumed if its first and last lines each have as many separators as a row, or if a later line does and, like the first, begins
        with a number, unless all quotes are in their places.
        """
        rows = [(line.count(self._mark) in self._separators, line.partition(self._mark)[0].strip(b'" \r\n').isdigit()) for line in lines]
        return (rows[0][0] and rows[-1][0]) or (rows[0][1] and (True, True) in rows[1:] and not self._is_a_row(b"".join(lines)))

    def _is_a_row(self, text: bytes) -> bool:
        try:
            records = list(csv.reader(io.StringIO(text.decode(), newline=""), delimiter=self._separator, strict=True))
        except csv.Error:
            return False
        return len(records) == 1 and len(records[0]) - 1 in self._separators

    def _plain(self, lines: bytes) -> bytes | None:
        """The records for trimmed lines that follow a line feed, if each is a row and only quotes around whole cells have to be removed; otherwise None."""
        if self._surplus is None:
            return None
        if b'"' in lines:
            edges, quotes = (self._mark, b"\n"), lines.count(b'"')
            # Each quote is the first or the last character of a cell, and no cell has more than two.
            if any(2 * sum(map(lines.count, pairs)) != quotes for pairs in ([e + b'"' for e in edges], [b'"' + e for e in edges])):
                return None
            unquoted = self._trimmed(lines.replace(b'"', b""))
            if unquoted is None or b'"' in lines.translate(None, self._not_marks_or_quotes).replace(b'""', b""):
                return None
            lines = unquoted
        count = lines.count(b"\n") - 1
        marks = lines.translate(None, self._not_marks_or_ends)
        surplus = self._mark * self._surplus + b"\n"
        if self._surplus and lines.count(surplus) == count:
            lines, marks = lines.replace(surplus, b"\n"), marks.replace(surplus, b"\n")
        elif self._surplus and not self._is_surplus_in_header:
            return None
        if marks != b"\n" + (self._marks + b"\n") * count or b"\n" + self._marks + b"\n" in lines or self._may_be_header(lines):
            return None
        return self._picked(lines[1:])

    def _may_be_header(self, lines: bytes) -> bool:
        lines = lines.lower()
        return any(spelling in lines for spelling in self._spellings)

    def _picked(self, lines: bytes) -> bytes:
        """The lines with only the columns of the stream, in its order."""
        if self._places == list(range(len(self._names))):
            return lines
        pick = itemgetter(*self._places)
        return b"\n".join([self._mark.join(pick(line.split(self._mark))) for line in lines.split(b"\n")[:-1]]) + b"\n"

    def _trimmed(self, lines: bytes) -> bytes | None:
        """Lines that follow a line feed, without white space at the edges of cells; None if that takes too many rounds."""
        is_ascii = lines.isascii()
        white_space = [white for white in self._white if (white.isascii() or not is_ascii) and white in lines]
        for _ in range(8):
            pairs = [
                (pair, edge) for edge in (self._mark, b"\n") for white in white_space
                for pair in (edge + white, white + edge) if pair in lines
            ]  # fmt: skip
            if not pairs:
                return lines
            for pair, edge in pairs:
                lines = lines.replace(pair, edge)
        return None

    def require_no_nul(self, cells: list[str], line: int) -> None:
        """Raises ReadingError if a cell that is loaded has no text that Postgres could keep, or no result of its formula."""
        loaded = [cells[place] for place in self._places if place < len(cells)]
        if NOT_CALCULATED in loaded:
            raise ReadingError(f"line {line} has a formula that was never calculated; open the workbook in Excel or LibreOffice, save it, and load it again.")
        if any("\0" in cell for cell in loaded):
            raise ReadingError(f"line {line} contains a NUL character, which text cannot have; remove it.")

    def record(self, cells: list[str], reason: str, line: int, lines: int, text: bytes) -> bytes:
        """The records for one row that spans this many lines; reason: why it cannot be split into cells."""
        to, width, found = self._to, len(self._names), len(cells)
        surplus = max(found - width, 0) if self._surplus is None else self._surplus
        if found == width + surplus and not any(cells[width:]):
            cells = cells[:width]
        if self._is_repeated_header(cells, line):
            return to.skipped(lines)
        if not reason and not any(cells):
            self._blank, self._other_header = line + lines - 1, 0
            return to.skipped(lines)
        self._require_one_table(cells, line)
        to.count += 1
        if self._surplus is None:
            self._surplus = surplus if len(cells) == width else 0
            self._require_no_row_names(cells, line)
        if self._surplus and not self._is_surplus_in_header and (
            self._names[-1] not in to.columns or found == width or found == len(cells) == width + self._surplus
        ):  # fmt: skip
            raise self._unclear(line, found)
        if not reason and len(cells) != width:
            reason = f"{found} {'cell' if found == 1 else 'cells'} where the header has {width}"
        elif not reason and (unnamed := next((place for place in self._unnamed if cells[place]), 0)):
            name = f"only the placeholder name {self._names[unnamed]}" if self._names[unnamed] else "no name"
            reason = f"a cell in column {unnamed + 1}, which has {name}"
        if reason:
            to.reject(line, reason, text)
            return to.skipped(lines)
        joined = self._between.join([cells[place].replace('"', '""') for place in self._places])
        return f'"{joined}"\n'.encode() + (to.skipped(lines - 1) if lines > 1 else b"")

    def without_notes(self, cells: list[str]) -> list[str]:
        """The cells of a workbook's row without those beside the table, after an empty column; they cannot have been shifted there."""
        width = len(self._names)
        return cells if any(cells[width : width + 1]) else cells[:width]

    def _is_repeated_header(self, cells: list[str], line: int) -> bool:
        """Whether a row is the header again, as in joined files. Raises ReadingError if it is another header."""
        if not cells or cells[0].isdigit() or not self._may_be_header(" ".join(cells).encode()):
            return False
        names = [name_of(cell) for cell in cells]
        if names == self._names:
            return True
        if len(set(names) & set(self._to.columns)) > 1 or names[self._key : self._key + 1] == [self._names[self._key]]:
            advice = "remove it" if line == self._line + 1 else "move the rows below it to another file"
            raise ReadingError(f"line {line} is another header; {advice}.")
        return False

    def _require_one_table(self, cells: list[str], line: int) -> None:
        """Raises ReadingError at the first row of a second table: just after a blank line and a row without numbers, it begins with an id."""
        if self._other_header and "".join(cells[self._key : self._key + 1]).isdigit():
            raise ReadingError(
                f"line {self._other_header} seems to be the header of another table; move it and the rows below it to another file, or remove it."
            )
        if self._blank == line - 1 and len(filled := list(filter(None, cells))) > 1 and not any(cell[0] in "+-.0123456789" for cell in filled):
            self._other_header = line

    def _require_no_row_names(self, cells: list[str], line: int) -> None:
        """Raises ReadingError if the first row has one more cell than the header, and a number where a name belongs."""
        if self._surplus == 1 and all(map(str.isdigit, cells[:2])) and self._names[1:2] and self._names[1].endswith("name"):
            raise ReadingError(
                f"line {line} has one more cell than the header and begins with two numbers, as if R or pandas had written row names; "
                "export the table without them, or name every column in the header."
            )

    def _unclear(self, line: int, found: int) -> ReadingError:
        """The surplus may come from a separator inside a cell, and the empty cell may be the last column's."""
        width = len(self._names)
        return ReadingError(
            f"line {line} has {found} cells where the header has {width} and the first row has {width + (self._surplus or 0)}, so it is unclear "
            "which column each belongs to; name every column in the header, and put cells with a separator in quotes."
        )
