"""The rows of a table as a stream that each engine can load, in one pass over the files."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from experiment_features.reading.files import File
from experiment_features.reading.form import Form
from experiment_features.reading.header import separator_of
from experiment_features.reading.locations import find, without_password
from experiment_features.reading.text import WHITE_SPACE, Blocks, ReadingError, lines_in, record_at
from experiment_features.reading.workbook import sheet

LINE_END = re.compile(rb"\r\n|\n|\r|\Z")
LINE_OR_QUOTED = re.compile(rb'(?:[^"\r\n]|"[^"]*")*')
DECLARED_SEPARATOR = re.compile(r'\W*"?sep=(?![\'"])([\t -/:-@[-`{-~])"?\s*', re.IGNORECASE)
LINES_OF_PREAMBLE = 100


class Rows:
    """The rows of a table as text, without white space and quotes around cells.

    Read as a file, they are CSV without a header. Each line of the files is one record, so record numbers are line numbers.
    A line without a row becomes a record with `marker` in its first cell.

    Args:
        folder, table: as in `locations.find`.
        wanted: names of the columns to read; if none, all columns of the header.
        encoding: the value of SEEDS_ENCODING; empty to detect UTF-8 or UTF-16.
        exchange: a folder for temporary files; empty for the system's.
        decimal_mark: the value of FEATURES_DECIMAL, for numbers of workbooks; empty for a point.

    Attributes:
        columns: their names, in the order of the stream.
        separator: the separator of the stream.
        files: the files read, in this order.
        size_bytes, modified, sha256: those of the file; of several parts, their sum, the last time, and the digest of their digests.
        problem: after the stream was read, a sentence on why it ended early; empty if it did not.
        count: after the stream was read, the number of rows, including rejected ones.
        rejected: after the stream was read, CSV with line, reason and text of each row that cannot be split into cells.
    """

    def __init__(self, folder: str, table: str, wanted: Sequence[str] | None = None, encoding: str = "", exchange: str = "", decimal_mark: str = "") -> None:
        self.marker, self.problem = secrets.token_hex(8), ""
        # For copies of remote files and for saved streams; deleted together with this object.
        self._copies = tempfile.TemporaryDirectory(prefix="experiment-features-", dir=exchange or None)
        self.rejected = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")
        self._rejects = csv.writer(self.rejected, lineterminator="\n")
        self._folder, self._table, self.wanted, self._encoding, self._decimal_mark = folder, table, wanted, encoding, decimal_mark
        self.columns: list[str] = []
        self.files: list[File] = []
        self.separator, self.count, self._passed, self.size_bytes = ",", 0, 0, 0
        self._blocks: Iterator[bytes] = self._all_files()
        # The header of the first file names the columns.
        self._blocks = chain([self.read()], self._blocks)

    def read(self, size: int = -1) -> bytes:
        """The next records, regardless of `size`; empty at the end."""
        try:
            return next(self._blocks, b"")
        except ReadingError as error:
            self.problem = str(error)
        except OSError as error:
            self.problem = f"it can no longer be read ({error.strerror or error}); load it again."
        return b""

    @property
    def named_problem(self) -> str:
        """The problem, preceded by the name and path of the file."""
        name = self.files[0].name if len(self.files) == 1 else self._table if self.files else f"{self._table}.csv"
        # dbt prints a traceback instead of a text that UTF-8 cannot encode.
        return f"{name} ({without_password(self._folder).rstrip('/')}/{name}): {self.problem}".encode(errors="replace").decode()

    @property
    def share(self) -> float:
        """The share of the input that has been read, from 0 to 1."""
        return sum(file.position for file in self.files) / (self.size_bytes or 1)

    def save(self, numbered: bool = False) -> str:
        """Writes the stream to a file and returns its path; a second file, `.rejected`, has the rejected rows. Both last as long as this object.

        With `numbered`, there is one file, separated by commas: the row number comes first, reason and text come last.
        """
        path = f"{self._copies.name}/{self._table}.rows"
        if not numbered:
            with open(path, "wb") as file:
                file.writelines(iter(self.read, b""))
            with open(path + ".rejected", "w", encoding="utf-8", newline="") as text:
                shutil.copyfileobj(self.rejected, text)
            return path
        # By default, csv refuses cells of more than 128 KiB.
        csv.field_size_limit(1 << 30)
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
        try:
            self.files = find(self._folder, self._table, Path(self._copies.name))
        except OSError as error:
            raise ReadingError(f"it cannot be read: {error.strerror or error}; put the file there, or name its folder in SEEDS_DIR.") from None
        self.size_bytes, self.modified = sum(file.size_bytes for file in self.files), max(file.modified for file in self.files)
        digests = [file.sha256 for file in self.files]
        self.sha256 = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
        for file in self.files:
            file.lines_before = self._passed
            try:
                yield from self._sheet(file) if file.path.suffix.lower() == ".xlsx" else self._lines(file)
                file.require_same()
            except ReadingError as error:
                raise ReadingError(f"{file.name}: {error}" if len(self.files) > 1 else str(error)) from None
        self.rejected.seek(0)

    def _sheet(self, file: File) -> Iterator[bytes]:
        form, records = None, sheet(file.path, self._table, self._decimal_mark)
        for line, cells in enumerate(records, 1):
            if form:
                cells = form.without_notes(cells)
                text = ",".join(cells)
                if "\0" in text:
                    form.require_no_nul(cells, line)
                yield form.record(cells, "", line, 1, text.replace("\0", "").encode())
            elif any(cells):
                form = Form(self, cells, ",", line, list(map(",".join, records[line : line + LINES_OF_PREAMBLE])))
                yield self.skipped(line)
        if not form:
            raise self._empty()
        self._passed += len(records)

    def _lines(self, file: File) -> Iterator[bytes]:
        with file.opened() as content:
            blocks = Blocks(content, self._encoding)
            form, block = self._form(blocks)
            yield self.skipped(blocks.line - 1)
            while block:
                records, rest = form.records(block, blocks.line)
                blocks.line += lines_in(block) - lines_in(rest)
                if records:
                    yield records
                block = blocks.next(rest)
                if rest and block == rest:
                    raise _open_quote(blocks.line)
            self._passed += blocks.line - 1

    def _form(self, blocks: Blocks) -> tuple[Form, bytes]:
        """The form of the rows below the header, and their first lines."""
        separator = ""
        while block := blocks.next():
            start = 0
            while start < len(block):
                end = next(LINE_END.finditer(block, start)).end()
                line = block[start:end].decode()
                if declared := DECLARED_SEPARATOR.fullmatch(line.rstrip("\r\n")):
                    separator = declared[1]
                elif line.strip(WHITE_SPACE):
                    # A quoted name may continue on the next line.
                    text = next(LINE_OR_QUOTED.finditer(block, start))[0].decode().strip(WHITE_SPACE)
                    mark = separator if separator and separator in text else separator_of(text, self.wanted or ())
                    record = record_at(block, start, mark)
                    if not record:
                        raise _open_quote(blocks.line)
                    cells, end = record
                    if any(cells):
                        following = [one.decode() for one in block[end:].splitlines()[:LINES_OF_PREAMBLE]]
                        form = Form(self, cells, mark, blocks.line, following)
                        blocks.line += lines_in(block[start:end])
                        return form, block[end:] or blocks.next()
                blocks.line += lines_in(block[start:end])
                start = end
        raise self._empty()

    def _empty(self) -> ReadingError:
        return ReadingError("the file is empty" + (f"; the columns expected are {', '.join(self.wanted)}." if self.wanted else "."))

    def skipped(self, lines: int) -> bytes:
        """Records for lines without a row."""
        return (self.marker + self.separator * (len(self.columns) - 1) + "\n").encode() * lines

    def reject(self, line: int, reason: str, text: bytes) -> None:
        self._rejects.writerow([self._passed + line, reason, text.decode().rstrip("\r\n")])


def _open_quote(line: int) -> ReadingError:
    return ReadingError(f"the quote opened in the row that begins on line {line} is never closed; close it or take it out.")
