"""Reads a file in any encoding as blocks of whole UTF-8 lines, and splits these into records and cells."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from functools import cache
from typing import IO

BLOCK_BYTES = 1 << 16
LONGEST_RECORD = 1 << 20
# Unicode white space, zero-width characters and the DOS end-of-file mark, which are trimmed from both ends of a value.
WHITE_SPACE = (
    "\t\n\v\f\r\x1a\x1c\x1d\x1e\x1f \x85\xa0\xad\u061c\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
    "\u202f\u205f\u3000\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)


class ReadingError(Exception):
    """Explains in one sentence why a file cannot be read, and what to do about it."""


class Blocks:
    """The lines of a file, a few thousand at a time. `line` is the number of the first line of the next block; the caller updates it."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self.line, self._file = 1, file
        first = file.read(BLOCK_BYTES)
        try:
            self._encoding = codecs.lookup(_encoding_of(first, encoding)).name
            self._decoder = codecs.getincrementaldecoder(self._encoding)()
            # The setting may be meant for another file. Text in a single-byte encoding is practically never valid UTF-8 as well.
            self._may_be_utf8 = self._encoding != "utf-8" and len("é".encode().decode(self._encoding, "replace")) == 2
        except (LookupError, UnicodeError):
            raise ReadingError(f"SEEDS_ENCODING is '{encoding}', an encoding that Python does not know; use one such as cp1252.") from None
        self._rest, self._is_at_end = self._decoded(b"", first), not first

    def next(self, kept: bytes = b"") -> bytes:
        """The lines kept from the last block, then the next ones; empty at the end of the file."""
        block = kept + self._rest
        # A kept record is tried again with twice as many bytes.
        while not self._is_at_end and (len(block) < max(BLOCK_BYTES, 2 * len(kept)) or _end_of_lines(block) <= len(kept)):
            if len(block) > LONGEST_RECORD + BLOCK_BYTES:
                raise ReadingError(
                    f"the row that begins on line {self.line} is longer than {LONGEST_RECORD >> 20} MiB; "
                    "close the quotes in it, or add the missing line endings."
                )
            raw = self._file.read(BLOCK_BYTES)
            self._is_at_end = not raw
            block += self._decoded(block, raw)
        end = len(block) if self._is_at_end else _end_of_lines(block)
        block, self._rest = block[:end], block[end:]
        if (place := block.find(b"\0")) >= 0:
            line = self.line + len(block[: place + 1].splitlines()) - 1
            raise ReadingError(f"line {line} contains a NUL byte, which text cannot have; export the file again as text.")
        return block

    def _decoded(self, before: bytes, raw: bytes) -> bytes:
        if self._may_be_utf8 and not raw.isascii():
            self._may_be_utf8 = False
            # The first character that is not ASCII may be cut.
            raw += self._file.read(3)
            with suppress(UnicodeDecodeError):
                if not codecs.getincrementaldecoder("utf-8")().decode(raw).isascii():
                    self._encoding, self._decoder = "utf-8", codecs.getincrementaldecoder("utf-8")()
        try:
            return self._decoder.decode(raw, final=not raw).encode()
        except UnicodeError as error:
            if self._encoding != "utf-8" or not isinstance(error, UnicodeDecodeError):
                raise ReadingError(
                    f"it is not valid {self._encoding} text; it may be cut short, or mix encodings: export it again, or set SEEDS_ENCODING to "
                    "the encoding it was written in."
                ) from None
            before += error.object[: error.start]
            place = len((before + b".").splitlines()) - 1
            line = (before + error.object[error.start :]).splitlines()[place]
        if not before.isascii():
            raise ReadingError(
                f"line {self.line + place} is not UTF-8 text, but lines before it are, so the file mixes encodings; export it again in one encoding."
            )
        windows = re.sub(r"[\0-\x08\n-\x1f\x7f]", "\ufffd", line.decode("cp1252", "replace").strip(WHITE_SPACE))
        raise ReadingError(
            f"line {self.line + place} is not UTF-8 text; with SEEDS_ENCODING=cp1252 it would read '{shortened(windows, 60)}': "
            "set the encoding with which it reads correctly, or save the file as UTF-8."
        )


def _encoding_of(first: bytes, setting: str) -> str:
    """The setting, unless the file begins with a byte-order mark; without a setting, UTF-8 or UTF-16."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if setting and not first.startswith(codecs.BOM_UTF8):
        return setting
    for encoding, start in (("utf-16-le", 1), ("utf-16-be", 0)):
        if len(first) > 3 and not any(first[start:100:2]):
            return encoding
    return "utf-8"


def lines_in(block: bytes) -> int:
    # Counting takes less time.
    return block.count(b"\n") if block.endswith(b"\n") and b"\r" not in block else len(block.splitlines())


def _end_of_lines(block: bytes) -> int:
    """The position after the last whole line; a carriage return at the end may be half of a line end."""
    return max(block.rfind(b"\n"), block.rfind(b"\r", 0, len(block) - 1)) + 1


def without_excerpt(message: str) -> str:
    """A message without the line of the file that it quotes, which may be about a person."""
    return re.sub(r"(?<=it would read ').*(?=': set the encoding)", "...", message)


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "..."


@cache
def _cell(mark: str) -> re.Pattern[bytes]:
    """A cell and the separator or line end after it: what is between its quotes and what is behind them, or what has no quotes."""
    white = b"|".join(re.escape(character.encode()) for character in WHITE_SPACE if character not in "\r\n" + mark)
    rest = rb"([^\r\n%b]*)" % re.escape(mark.encode())
    return re.compile(rb'(?:(?:%b)*"([^"]*(?:""[^"]*)*)"(?!")%b|%b)(\r\n|[\r\n%b]|\Z)' % (white, rest, rest, re.escape(mark.encode())))


def record_at(block: bytes, start: int, mark: str) -> tuple[list[str], int] | None:
    """The cells of the record that starts here, without white space and quotes, and the start of the next; None if a quote is still open at the end."""
    cells = []
    for found in _cell(mark).finditer(block, start):
        quoted, behind, unquoted, end = found.groups()
        # As in Python's csv module, text after the closing quote belongs to the cell.
        cell = (unquoted if quoted is None else quoted.replace(b'""', b'"') + behind).decode().strip(WHITE_SPACE)
        if quoted is None and cell.startswith('"'):
            return None
        cells.append(cell)
        if end != mark.encode():
            return cells, found.end()
    return None
