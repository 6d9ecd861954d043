"""CSV files that DuckDB can read line by line, as they are or, where they have carriage returns, rewritten."""

from __future__ import annotations

import tempfile
from pathlib import Path

BLOCK_BYTES = 1 << 20
# Control characters that mean nothing in a text: DuckDB is told of one that is in no line as its separator.
MARKS = (*range(1, 9), *range(14, 32))


class LineFile:
    """A CSV file as DuckDB reads its lines.

    Attributes:
        path: of the file, or of its copy, in which line feeds alone end lines.
        problem: a sentence, where the file is not UTF-8 text; then nothing else is to be used.
        has_quotes: whether there is a double quote in it.
        absent: the code of a character that is not in it.
        carriage_return: in a copy the code of the character that stands for a carriage return, else 0.
        longest_line: an upper limit to the bytes of a line.

    Raises:
        OSError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.problem = ""
        self.has_quotes = False
        self.longest_line = BLOCK_BYTES
        self.carriage_return = 0
        self._copy: tempfile._TemporaryFileWrapper[bytes] | None = None
        absent = list(MARKS)
        line_number, has_returns, has_feeds = 1, False, False
        with open(path, "rb") as file:
            while block := file.read(BLOCK_BYTES) + file.readline():
                if not _is_text(block):
                    bad = next(number for number, line in enumerate(block.split(b"\n")) if not _is_text(line))
                    self.problem = f"line {line_number + bad} is not UTF-8 text; save the file as UTF-8 and load it again."
                    return
                absent = [mark for mark in absent if mark not in block]
                self.has_quotes = self.has_quotes or b'"' in block
                has_returns = has_returns or b"\r" in block
                has_feeds = has_feeds or b"\n" in block
                line_number += block.count(b"\n")
                self.longest_line = max(self.longest_line, len(block))
        if len(absent) < 2:
            self.problem = "it has nearly every control character in it, as no text has; save it as plain text."
            return
        self.absent = absent[0]
        if has_returns:
            self._rewrite(path, bytes(absent[1:2]) if has_feeds else b"\n")

    def _rewrite(self, path: Path, carriage_return: bytes) -> None:
        """Makes a copy, with another character in place of each carriage return."""
        self.carriage_return = 0 if carriage_return == b"\n" else carriage_return[0]
        self._copy = tempfile.NamedTemporaryFile(prefix="experiment_features", suffix=".csv")
        self.path = self._copy.name
        with open(path, "rb") as file:
            while block := file.read(BLOCK_BYTES):
                self._copy.write(block.replace(b"\r", carriage_return))
        self._copy.flush()

    def close(self) -> None:
        """Removes the copy, if there is one; so does the end of the process."""
        if self._copy:
            self._copy.close()


def _is_text(part: bytes) -> bool:
    """Whether it is UTF-8 without the character 0, which no engine is asked to store."""
    try:
        return "\0" not in part.decode()
    except UnicodeDecodeError:
        return False
