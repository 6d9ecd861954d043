"""The rows of a table as a stream that each engine can load, in one pass over the files."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path

from experiment_features.reading import workbook
from experiment_features.reading.errors import ReadingError
from experiment_features.reading.header import Cells, name_of, require_columns, separator_of, without_surplus
from experiment_features.reading.locations import File, find
from experiment_features.reading.text import LINE_END, WHITE_SPACE, Blocks, lines_in

DECLARED_SEPARATOR = re.compile(r'\W*"?sep=(.)"?\s*', re.IGNORECASE)
LINES_OF_PREAMBLE = 30


class Rows:
    """The rows of a table as text, without white space and quotes around cells.

    Read as a file, they are CSV without a header. Each line of the files is one record, so record numbers are line numbers.
    A line without a row becomes a record with `marker` in its first cell.

    Args:
        folder, table: as in `locations.find`.
        wanted: names of the columns to read; if none, all columns of the header.
        encoding: the value of SEEDS_ENCODING; empty to detect UTF-8 or UTF-16.
        exchange: a folder for temporary files; empty for the system's.

    Attributes:
        columns: their names, in the order of the stream.
        separator: the separator of the stream.
        files: the files read, in this order.
        problem: after the stream was read, a sentence on why it ended early; empty if it did not.
        count: after the stream was read, the number of rows, including rejected ones.
        rejected: after the stream was read, CSV with line, reason and text of each row that cannot be split into cells.
    """

    def __init__(self, folder: str, table: str, wanted: Sequence[str] | None = None, encoding: str = "", exchange: str = "") -> None:
        self.problem, self.count = "", 0
        # For copies of remote files and for saved streams; deleted together with this object.
        self._copies = tempfile.TemporaryDirectory(prefix="experiment-features-", dir=exchange or None)
        self.marker = secrets.token_hex(8)
        self.rejected = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")
        self._rejects = csv.writer(self.rejected, lineterminator="\n")
        self._folder, self._table, self._wanted, self._encoding = folder, table, wanted, encoding
        self._name = f"{table}.csv"
        self._passed = 0
        self.columns: list[str] = []
        self.separator = ","
        self._blocks: Iterator[bytes] = iter(())
        self.files: list[File] = []
        try:
            self.files = find(folder, table, Path(self._copies.name))
            self._name = self.files[0].name if len(self.files) == 1 else table
            blocks = self._all_files()
            # The header of the first file names the columns.
            self._blocks = chain([next(blocks)], blocks)
        except ReadingError as error:
            self.problem = str(error)
        except OSError as error:
            self.problem = f"it cannot be read: {error.strerror or error}; put the file there, or name its folder in SEEDS_DIR."

    def read(self, size: int = -1) -> bytes:
        """The next records, regardless of `size`; empty at the end."""
        try:
            return next(self._blocks, b"")
        except ReadingError as error:
            self.problem = str(error)
            return b""
        except OSError as error:
            self.problem = f"it can no longer be read ({error.strerror or error}); load it again."
            return b""

    @property
    def path(self) -> str:
        """The path of the input, as shown to the user."""
        return f"{self._folder.rstrip('/')}/{self._name}"

    @property
    def named_problem(self) -> str:
        """The problem, preceded by the name and path of the file."""
        # dbt prints a traceback instead of a text that UTF-8 cannot encode.
        return f"{self._name} ({self.path}): {self.problem}".encode(errors="replace").decode()

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def share(self) -> float:
        """The share of the input that has been read, from 0 to 1."""
        return sum(file.position for file in self.files) / (self.size_bytes or 1)

    @property
    def modified(self) -> str:
        return max(file.modified for file in self.files)

    @property
    def sha256(self) -> str:
        """The digest of the file; if there are several parts, the digest of their digests."""
        digests = [file.sha256 for file in self.files]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()

    def save(self, numbered: bool = False) -> str:
        """Writes the stream to a file and returns its path; a second file, `.rejected`, has the rejected rows. Both last as long as this object.

        With `numbered`, there is one file, separated by commas: the row number comes first, reason and text come last.
        """
        path = f"{self._copies.name}/{self._table}.rows"
        if not numbered:
            with open(path, "wb") as file:
                while block := self.read():
                    file.write(block)
            with open(path + ".rejected", "w", encoding="utf-8", newline="") as file:
                shutil.copyfileobj(self.rejected, file)
            return path
        with open(path, "w", encoding="utf-8", newline="") as text:
            writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
            lines = (line for block in iter(self.read, b"") for line in io.StringIO(block.decode(), newline=""))
            for number, cells in enumerate(csv.reader(lines, delimiter=self.separator), 1):
                if cells[0] != self.marker:
                    writer.writerow([number, *cells, self.marker, self.marker])
            for line, reason, row in csv.reader(self.rejected):
                writer.writerow([line, *[self.marker] * len(self.columns), reason, row])
        return path

    def _all_files(self) -> Iterator[bytes]:
        for file in self.files:
            file.lines_before = self._passed
            try:
                yield from self._sheet(file) if file.is_workbook else self._lines(file)
                file.require_same()
            except ReadingError as error:
                raise ReadingError(f"{file.name}: {error}" if len(self.files) > 1 else str(error)) from None
        self.rejected.seek(0)

    def _sheet(self, file: File) -> Iterator[bytes]:
        line = 0
        form = None
        records = [[cell.strip(WHITE_SPACE) for cell in cells] for cells in workbook.records(file.path, self._table)]
        for line, cells in enumerate(records, 1):
            if form is None and any(cells):
                form = Form(self, cells, ",", line, [",".join(following) for following in records[line : line + LINES_OF_PREAMBLE]])
                yield self._skipped(line)
            elif form:
                yield form.record(cells, True, line, 1, partial(self.separator.join, cells))
        if form is None:
            raise ReadingError(_empty(self._wanted))
        self._passed += line

    def _lines(self, file: File) -> Iterator[bytes]:
        with file.opened() as content:
            blocks = Blocks(content, self._encoding)
            form, block = self._form(blocks)
            yield self._skipped(blocks.line - 1)
            while block:
                records, rest = form.records(block, blocks.line)
                blocks.line += lines_in(block) - lines_in(rest)
                if records:
                    yield records
                block = blocks.next(rest)
                if rest and block == rest:
                    raise ReadingError(_open_quote(blocks.line))
            self._passed += blocks.line - 1

    def _form(self, blocks: Blocks) -> tuple[Form, bytes]:
        """The form of the rows below the header, and their first lines."""
        separator = ""
        block = blocks.next()
        while block:
            end = LINE_END.search(block)
            line = block[: end.end() if end else len(block)].decode()
            text = line.strip(WHITE_SPACE)
            if declared := DECLARED_SEPARATOR.fullmatch(line.rstrip("\r\n")):
                separator = declared[1]
            elif text:
                mark = separator or separator_of(text, self._wanted or ())
                taken = Cells(mark).of(line)
                while taken is None:
                    # A quoted name continues on the next line.
                    if not end:
                        raise ReadingError(_open_quote(blocks.line))
                    end = LINE_END.search(block, end.end())
                    taken = Cells(mark).of(block[: end.start() if end else len(block)].decode())
                if any(taken):
                    rest = block[end.end() :] if end else b""
                    form = Form(self, taken, mark, blocks.line, rest.decode().splitlines()[:LINES_OF_PREAMBLE])
                    blocks.line += lines_in(block) - lines_in(rest)
                    return form, rest or blocks.next()
            blocks.line += 1
            block = (block[end.end() :] if end else b"") or blocks.next()
        raise ReadingError(_empty(self._wanted))

    def _skipped(self, lines: int) -> bytes:
        """Records for lines without a row."""
        return (self.marker + self.separator * (len(self.columns) - 1) + "\n").encode() * lines


class Form:
    """Converts the rows of one file into records of the stream."""

    def __init__(self, rows: Rows, header: Sequence[str], separator: str, line: int, following: Sequence[str]) -> None:
        self._to = rows
        self._header = without_surplus(header)
        # Number of empty cells after the last column: as in the header or, failing that, in the first row. If only some rows
        # have them, a cell may contain a separator and the last cell may be empty.
        self._surplus = len(header) - len(self._header) or None
        self._is_surplus_in_header = bool(self._surplus)
        names = [name_of(cell) for cell in self._header]
        if not rows._wanted:
            names = [re.sub(r"\W", "_", name) or f"column_{place}" for place, name in enumerate(names, 1)]
        self._names = names
        wanted = rows._wanted or names
        require_columns(names, wanted, line, following)
        if not rows.columns:
            # In the order of the first file, to avoid reordering its rows.
            rows.columns = [name for name in names if name in wanted]
            rows.separator = separator
        self._between = f'"{rows.separator}"'
        # A column without a name may hold what belongs to the column before it, as below header cells merged in Excel.
        self._unnamed = [place for place, name in enumerate(names) if not name and next(filter(None, names[place::-1]), "") in wanted]
        places = [names.index(name) for name in rows.columns]
        self._places = places if places != list(range(len(names))) else None
        self._cells = Cells(separator)
        self._mark = separator.encode()
        self._marks = self._mark * (len(names) - 1)
        self._separators = {len(names) - 1, len(header) - 1}
        self._not_marks_or_quotes = bytes(set(range(256)) - {self._mark[0], 10, 34})
        self._not_marks_or_ends = bytes(set(range(256)) - {self._mark[0], 10})
        self._key = names.index(wanted[0])
        # A row that contains the name of the first column wanted, in any spelling, may be another header.
        self._spellings = [wanted[0].replace("_", mark).encode() for mark in "_ -."]
        self._blank = b"\n" + self._marks + b"\n"
        self._is_simple = len(names) > 1 and separator == rows.separator and not self._unnamed
        self._white = [white.encode() for white in WHITE_SPACE if white not in "\r\n" + separator]
        self._ascii_white = [white for white in self._white if white.isascii()]

    def records(self, block: bytes, line: int) -> tuple[bytes, bytes]:
        """The records for whole lines, of which the first has the number `line`, and the lines of a last record that is incomplete."""
        plain = self._plain(block)
        if plain is None:
            return self._line_by_line(block, line)
        self._to.count += plain.count(b"\n")
        return plain, b""

    def _plain(self, block: bytes) -> bytes | None:
        """The records if each line is a row and only white space and quotes around whole cells have to be removed; otherwise None."""
        if not self._is_simple or self._surplus is None:
            return None
        if b"\r" in block:
            if b'"' in block and block.count(b"\r") != block.count(b"\r\n"):
                return None
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = self._trimmed(b"\n" + block + (b"" if block.endswith(b"\n") else b"\n"))
        if lines is not None and b'"' in lines:
            edges = (self._mark, b"\n")
            quotes = lines.count(b'"')
            # Each quote is the first or the last character of a cell, and no cell has more than two.
            if any(2 * sum(map(lines.count, pairs)) != quotes for pairs in ([e + b'"' for e in edges], [b'"' + e for e in edges])):
                return None
            if b'"' in lines.translate(None, self._not_marks_or_quotes).replace(b'""', b""):
                return None
            lines = self._trimmed(lines.replace(b'"', b""))
        if lines is None:
            return None
        lines = lines[1:]
        count = lines.count(b"\n")
        marks = lines.translate(None, self._not_marks_or_ends)
        surplus = self._mark * self._surplus + b"\n"
        if self._surplus and lines.count(surplus) == count:
            lines, marks = lines.replace(surplus, b"\n"), marks.replace(surplus, b"\n")
        if marks != (self._marks + b"\n") * count or self._blank in b"\n" + lines or self._may_be_header(lines):
            return None
        return self._picked(lines)

    def _may_be_header(self, lines: bytes) -> bool:
        lines = lines.lower()
        return any(spelling in lines for spelling in self._spellings)

    def _picked(self, lines: bytes) -> bytes:
        """The lines with only the columns of the stream, in its order."""
        if self._places is None:
            return lines
        mark = self._mark
        if len(self._places) == 1:
            place = self._places[0]
            return b"\n".join([line.split(mark)[place] for line in lines.split(b"\n")[:-1]]) + b"\n"
        pick = itemgetter(*self._places)
        return b"\n".join([mark.join(pick(line.split(mark))) for line in lines.split(b"\n")[:-1]]) + b"\n"

    def _trimmed(self, lines: bytes) -> bytes | None:
        """Lines that follow a line feed, without white space at the edges of cells; None if that takes too many rounds."""
        white_space = [white for white in (self._ascii_white if lines.isascii() else self._white) if white in lines]
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

    def _line_by_line(self, block: bytes, number: int) -> tuple[bytes, bytes]:
        """Like `records`, for a block in which some lines are not plain; runs of plain lines are converted together."""
        lines = LINE_END.split(block) if b"\r" in block else block.split(b"\n")
        ends = LINE_END.findall(block) if b"\r" in block else [b"\n"] * (len(lines) - 1)
        if not lines[-1]:
            lines.pop()
        else:
            ends.append(b"")
        joined = b"\n" + b"\n".join(lines) + b"\n"
        trimmed = self._trimmed(joined) if self._is_simple else None
        plain = trimmed[1:-1].split(b"\n") if trimmed is not None else []
        odd = self._odd(trimmed, plain) if trimmed is not None else list(range(len(lines)))
        # Python's csv module treats a quote after white space as part of the cell.
        records = Records(self._cells, lines, ends, is_regular=b'"' not in joined or (joined == trimmed and b'\\"' not in joined))
        out: list[bytes] = []
        place = 0
        for start, end in _runs(odd):
            if place < start:
                self._surplus = self._surplus or 0
                out.append(self._picked(b"\n".join(plain[place:start]) + b"\n"))
                self._to.count += start - place
                place = start
            while place < end:
                taken = records.at(place)
                if taken is None:
                    return b"".join(out), b"".join(chain.from_iterable(zip(lines[place:], ends[place:])))
                cells, is_right, following = taken
                if records.swallows_rows(place, following, self._mark, self._separators):
                    out += [self.record([], None, number + line, 1, partial(records.text, line, line + 1)) for line in range(place, following)]
                else:
                    out.append(self.record(cells, is_right, number + place, following - place, partial(records.text, place, following)))
                place = following
        if place < len(lines):
            self._surplus = self._surplus or 0
            out.append(self._picked(b"\n".join(plain[place:]) + b"\n"))
            self._to.count += len(lines) - place
        return b"".join(out), b""

    def _odd(self, trimmed: bytes, plain: Sequence[bytes]) -> list[int]:
        """The places of lines that are not plain rows."""
        marks = trimmed[1:].translate(None, self._not_marks_or_ends).split(b"\n")[:-1]
        odd = {place for place, own in enumerate(marks) if own != self._marks}
        if self._blank in trimmed:
            odd.update(place for place, line in enumerate(plain) if line == self._marks)
        if self._may_be_header(trimmed):
            odd.update(place for place, line in enumerate(plain) if self._may_be_header(line))
        if b'"' in trimmed:
            odd.update(place for place, line in enumerate(plain) if b'"' in line)
        return sorted(odd)

    def record(self, cells: list[str], has_right_quotes: bool | None, line: int, lines: int, text: Callable[[], str]) -> bytes:
        """The records for one row that spans this many lines."""
        to = self._to
        cells = [cell.strip(WHITE_SPACE) for cell in cells]
        width, found = len(self._header), len(cells)
        surplus = max(found - width, 0) if self._surplus is None else self._surplus
        if found == width + surplus and not any(cells[width:]):
            cells = cells[:width]
        if cells and not cells[0].isdigit() and self._may_be_header(" ".join(cells).encode()):
            names = [name_of(cell) for cell in cells]
            if names == self._names:
                return to._skipped(lines)
            if len(set(names) & set(to.columns)) > 1 or names[self._key : self._key + 1] == [self._names[self._key]]:
                raise ReadingError(f"line {line} is another header; move the rows below it to another file.")
        if has_right_quotes and not any(cells):
            return to._skipped(lines)
        to.count += 1
        if self._surplus is None:
            self._surplus = surplus if len(cells) == width else 0
        if self._surplus and not self._is_surplus_in_header and (self._names[-1] not in to.columns or found == len(cells) == width + self._surplus):
            # The surplus may come from a separator inside a cell, and the empty cell may be the last column's.
            raise ReadingError(
                f"line {line} has {found} cells where the header has {width}, so it is unclear which column each belongs to; "
                "name every column in the header, and put cells with a separator inside in quotes."
            )
        reason = ""
        if has_right_quotes is None:
            reason = "a quote that is open at the end of a whole row; close it or take it out"
        elif not has_right_quotes:
            reason = "a backslash in front of a quote inside quotes, where the quote has to be written twice"
        elif len(cells) != width:
            reason = f"{found} {'cell' if found == 1 else 'cells'} where the header has {width}"
        elif unnamed := next((place for place in self._unnamed if cells[place]), 0):
            reason = f"a cell in column {unnamed + 1}, which has no name"
        if reason:
            to._rejects.writerow([to._passed + line, reason, text()])
            return to._skipped(lines)
        if self._places is not None:
            cells = [cells[place] for place in self._places]
        joined = self._between.join(cells)
        if joined.count('"') > 2 * (len(cells) - 1):
            joined = self._between.join([cell.replace('"', '""') for cell in cells])
        quoted = f'"{joined}"\n'.encode()
        return quoted if lines == 1 else quoted + to._skipped(lines - 1)


class Records:
    """The records of a block of lines, one at a time."""

    def __init__(self, cells: Cells, lines: Sequence[bytes], ends: Sequence[bytes], is_regular: bool) -> None:
        self._cells, self._lines, self._ends, self._is_regular = cells, lines, ends, is_regular
        self._first = self._next = -1

    def text(self, place: int, following: int) -> str:
        """The text of a record, without the line end of its last line."""
        return b"".join([*chain.from_iterable(zip(self._lines[place : following - 1], self._ends[place:])), self._lines[following - 1]]).decode()

    def at(self, place: int) -> tuple[list[str], bool, int] | None:
        """The cells of the record that begins on a line, whether its quotes are valid, and the place of the next line; None if it is incomplete."""
        if self._is_regular:
            if self._next != place:
                self._first = place
                rest = zip(islice(self._lines, place, None), islice(self._ends, place, None))
                self._reader = self._cells.reader((line + end).decode() for line, end in rest)
            try:
                found = next(self._reader)
                self._next = self._first + self._reader.line_num
                return found, True, self._next
            except csv.Error:
                self._next = -1
        following = place + 1
        if self._cells.escaped_quote.search(self.text(place, following)):
            return [], False, following
        while (cells := self._cells.of(self.text(place, following))) is None:
            # The closing quote is on a later line that contains a quote.
            while following < len(self._lines) and b'"' not in self._lines[following]:
                following += 1
            if following == len(self._lines):
                return None
            following += 1
        return cells, True, following

    def swallows_rows(self, place: int, following: int, mark: bytes, widths: set[int]) -> bool:
        """Whether a record is several rows, because a quote is open by mistake.

        This is assumed if its first and last lines each have as many separators as a row, or if a later line does and, like the first,
        begins with a number.
        """
        lines = self._lines[place:following]
        if len(lines) < 2:
            return False
        if {lines[0].count(mark), lines[-1].count(mark)} <= widths:
            return True
        return _begins_with_number(lines[0], mark) and any(line.count(mark) in widths and _begins_with_number(line, mark) for line in lines[1:])


def _begins_with_number(line: bytes, mark: bytes) -> bool:
    return line.partition(mark)[0].strip(b'" ').isdigit()


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yields each run of consecutive places, as its first place and the one after its last."""
    for _, run in groupby(enumerate(places), lambda item: item[1] - item[0]):
        consecutive = [place for _, place in run]
        yield consecutive[0], consecutive[-1] + 1


def _empty(wanted: Sequence[str] | None) -> str:
    return "the file is empty" + (f"; the columns expected are {', '.join(wanted)}." if wanted else ".")


def _open_quote(line: int) -> str:
    return f"the quote opened in the row that begins on line {line} is never closed; close it or take it out."
