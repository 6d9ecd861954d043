"""CSV files that Postgres can take in by `COPY`, which reads one form of CSV only, but several times as
fast as the macros that read every form.

Nearly all files differ from that form in little: white space around cells, or quotes that need not be
there. A block of lines is freed of both, and checked, by a few operations on bytes, which cost less
than the server's part. Single records that are different are left to the macros, and so is the whole
file where it is not sure what is a record of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

# What the macro white_space() names, in UTF-8, except for the line feed.
WHITE_SPACE = (b" ", b"\t", b"\r", b"\x0b", b"\x0c", b"\xc2\xa0", b"\xef\xbb\xbf")
BLOCK_BYTES = 1 << 16
LONGEST_LINE = 1 << 20
MOST_ODD_CHARACTERS = 1_000_000
# The first cell of the rows that stand in the stream for an odd record, one for each line of it;
# copy_plain_csv leaves them out.
ODD = b"\x02"


class NotPlain(ValueError):
    """The file, or a part of it, is left to the macros."""


class PlainCsv:
    """The rows of a CSV file below its header, as a stream of bytes for `COPY`.

    Each line is a row and has as many cells as the header, without quotes or white space around them: the
    same rows and cells that the macros find in the file. Blank lines at the end are left out.

    Attributes:
        has_changed: whether the stream ended early, as what was plain when the file was looked at no longer is.
        odd_records: after the stream was read, the records that are no such rows, each with the number of its
            first line; blank lines are among them.
        header: the names of the columns as they are written, in the order of the file.
        delimiter: what stands between two cells.
        first_row_number: the number of the line below the header, counted from 1.

    Raises:
        NotPlain, UnicodeDecodeError: the file has no plain header.
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.has_changed = False
        self.first_row_number = 1
        with open(path, "rb") as file:
            line = b""
            while not line.decode().strip(b"".join(WHITE_SPACE).decode() + "\n"):
                if not (line := file.readline(LONGEST_LINE)):
                    raise NotPlain("no header")
                self.first_row_number += 1
            if b"\r" in line and not line.endswith(b"\n"):
                raise NotPlain("a file of carriage returns")
            self._first_byte = file.tell()
        self.delimiter = next((mark for mark in ",\t;" if mark.encode() in line), ",")
        self.header = _plain(line, self.delimiter.encode(), is_last=False).decode().rstrip("\n").split(self.delimiter)
        self._blocks = self.blocks()

    def blocks(self) -> Iterator[bytes]:
        """The rows, some thousand at a time; raises NotPlain or UnicodeDecodeError where the file is not plain."""
        self.odd_records: list[tuple[int, str]] = []
        self._odd_characters = 0
        row_number = self.first_row_number
        with open(self._path, "rb") as file:
            file.seek(self._first_byte)
            while block := file.read(BLOCK_BYTES):
                lines = [block, file.readline(LONGEST_LINE)]
                quotes, length = sum(line.count(b'"') for line in lines), sum(map(len, lines))
                # Where its quotes do not pair, a record goes on behind it.
                while quotes % 2 and length < BLOCK_BYTES + LONGEST_LINE and (line := file.readline(LONGEST_LINE)):
                    lines.append(line)
                    quotes += line.count(b'"')
                    length += len(line)
                block = b"".join(lines)
                is_last = not file.peek(1)
                if not block.endswith(b"\n") and not is_last:
                    raise NotPlain("a line too long to be looked at")
                block.decode()
                if b"\0" in block or ODD in block:
                    raise NotPlain("a character that Postgres does not store, or that stands for an odd record")
                yield self._rows(block, row_number, is_last)
                row_number += block.count(b"\n")

    def _rows(self, lines: bytes, row_number: int, is_last: bool) -> bytes:
        """Whole records as plain rows. Where they are not, each half is tried, down to the record that is odd."""
        try:
            rows = _plain(lines, self.delimiter.encode(), is_last)
            if self._are_whole(rows):
                return rows
        except NotPlain:
            pass
        middle = _middle(lines)
        if middle is None:
            return self._odd_rows(lines.decode().removesuffix("\n"), row_number)
        first = self._rows(lines[:middle], row_number, is_last=False)
        return first + self._rows(lines[middle:], row_number + lines.count(b"\n", 0, middle), is_last)

    def _are_whole(self, rows: bytes) -> bool:
        """Whether each row has as many cells as the header; a row of tabs is for the macros a blank line."""
        marks_of_row = self.delimiter.encode() * (len(self.header) - 1) + b"\n"
        marks = rows.translate(None, bytes(set(range(256)) - set(marks_of_row)))
        return marks == marks_of_row * (len(marks) // len(marks_of_row)) and not (
            self.delimiter == "\t" and b"\n" + marks_of_row in b"\n" + rows
        )

    def _odd_rows(self, record: str, row_number: int) -> bytes:
        """Keeps a record for the macros. Raises NotPlain where it is not sure that it is one."""
        blanks = f"[{b''.join(WHITE_SPACE).decode()}]*"
        cell = rf'(?:{blanks}"[^"]*(?:""[^"]*)*"{blanks}|[^"\n{self.delimiter}]*)'
        if not re.fullmatch(rf"{cell}(?:{self.delimiter}{cell})*", record):
            raise NotPlain("a quote inside a cell, or one that is not closed")
        self.odd_records.append((row_number, record))
        # A record costs more than its characters, in the statement that it goes into.
        self._odd_characters += len(record) + 100
        if self._odd_characters > MOST_ODD_CHARACTERS:
            raise NotPlain("many odd records")
        return (ODD + self.delimiter.encode() * (len(self.header) - 1) + b"\n") * (record.count("\n") + 1)

    def read(self, size: int = -1) -> bytes:
        """The next rows, of whatever size; nothing at the end, and nothing where the file has changed meanwhile."""
        try:
            return next(self._blocks, b"")
        except (NotPlain, UnicodeDecodeError, OSError):
            self.has_changed = True
            return b""


def plain_csv(path: str, columns: Sequence[str]) -> PlainCsv | None:
    """The file, if it has just these columns, in any order, and all of it is plain; otherwise None.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        file = PlainCsv(Path(path))
        if len(columns) < 2 or sorted(name.lower() for name in file.header) != sorted(columns):
            return None
        for _ in file.blocks():
            pass
    except (NotPlain, UnicodeDecodeError):
        return None
    return file


def _plain(lines: bytes, delimiter: bytes, is_last: bool) -> bytes:
    """Whole lines, without the white space and the quotes around cells, and blank lines at the end of the file."""
    edges = (delimiter, b"\n")
    lines = _trimmed(b"\n" + lines + (b"" if lines.endswith(b"\n") else b"\n"), edges)
    if is_last:
        lines = lines.rstrip(b"\n") + b"\n"
    if b'"' in lines:
        quotes = lines.count(b'"')
        # Each quote is the first or the last character of a cell, and no cell has more than two.
        if any(2 * sum(map(lines.count, pairs)) != quotes for pairs in (
            [edge + b'"' for edge in edges], [b'"' + edge for edge in edges],
        )):  # fmt: skip
            raise NotPlain("a quote inside a cell")
        marks = lines.translate(None, bytes(set(range(256)) - set(b'"\n' + delimiter))).replace(b'""', b"")
        if b'"' in marks:
            raise NotPlain("a separator or a line break inside quotes")
        lines = _trimmed(lines.replace(b'"', b""), edges)
    if b"\r" in lines:
        raise NotPlain("a carriage return inside a cell")
    return lines[1:]


def _middle(lines: bytes) -> int | None:
    """Where to halve some records: behind the line feed outside quotes that is next to the middle; None for one record."""
    half = len(lines) // 2
    middle = lines.find(b"\n", half) + 1
    quotes = lines.count(b'"', 0, middle)
    while 0 < middle < len(lines):
        if quotes % 2 == 0:
            return middle
        following = lines.find(b"\n", middle) + 1
        quotes += lines.count(b'"', middle, following)
        middle = following
    middle = lines.rfind(b"\n", 0, half) + 1
    quotes = lines.count(b'"', 0, middle)
    while middle > 0 and quotes % 2:
        previous = lines.rfind(b"\n", 0, middle - 1) + 1
        quotes -= lines.count(b'"', previous, middle)
        middle = previous
    return middle or None


def _trimmed(lines: bytes, edges: Sequence[bytes]) -> bytes:
    """Lines behind a line feed, without the white space next to each edge of a cell."""
    white_space = [blank for blank in WHITE_SPACE if blank in lines and blank not in edges]
    # Each round takes one character from each side; a file padded with more is not worth more rounds.
    for _ in range(8):
        pairs = [(pair, edge) for edge in edges for blank in white_space for pair in (edge + blank, blank + edge) if pair in lines]
        if not pairs:
            return lines
        for pair, edge in pairs:
            lines = lines.replace(pair, edge)
    raise NotPlain("much white space")
