"""Reads a file in any encoding as blocks of whole UTF-8 lines."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from typing import IO

from experiment_features.reading.errors import ReadingError

BLOCK_BYTES = 1 << 16
LONGEST_RECORD = 1 << 20
LINE_END = re.compile(rb"\r\n|\n|\r")
# Unicode white space, zero-width characters and the DOS end-of-file mark; none of them is part of a value.
WHITE_SPACE = (
    "\t\n\v\f\r\x1a\x1c\x1d\x1e\x1f \x85\xa0\xad\u061c\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
    "\u202f\u205f\u3000\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)


class Blocks:
    """The lines of a file, a few thousand at a time.

    Args:
        file: the content, decompressed.
        encoding: an encoding that Python knows; empty for UTF-8, or for UTF-16 if the first bytes indicate it. It does not apply to a
            file with a byte-order mark, or that is UTF-8 instead of an encoding of single bytes.

    Attributes:
        line: the number of the first line of the next block, counted from 1 as in an editor; the caller updates it.
    """

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self.line = 1
        self._file = file
        self._rest = file.read(BLOCK_BYTES)
        self._is_at_end = not self._rest
        try:
            self._codec = codecs.lookup(_certain_encoding(self._rest, encoding) or encoding or _encoding_of(self._rest))
        except LookupError:
            raise ReadingError(f"SEEDS_ENCODING is '{encoding}', an encoding that Python does not know; use one such as cp1252.") from None
        # Python has an incremental decoder for every text encoding.
        new_decoder = self._codec.incrementaldecoder if self._codec.name != "utf-8" else None
        self._decoder = new_decoder() if new_decoder else None
        self._rest = self._decoded(self._rest)

    def next(self, kept: bytes = b"") -> bytes:
        """The lines kept from the last block, then the next ones; empty at the end of the file.

        Raises:
            ReadingError: a line is not in the encoding, has a NUL byte, or belongs to a row longer than LONGEST_RECORD.
        """
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
            block += self._decoded(raw)
        end = len(block) if self._is_at_end else _end_of_lines(block)
        block, self._rest = block[:end], block[end:]
        if not self._decoder:
            try:
                block.decode()
            except UnicodeDecodeError as error:
                line = LINE_END.split(block[: error.start])[-1] + LINE_END.split(block[error.start :])[0]
                raise ReadingError(_not_text(self._line_of(block, error.start), line, block[: error.start].isascii())) from None
        if (place := block.find(b"\0")) >= 0:
            raise ReadingError(f"line {self._line_of(block, place)} contains a NUL byte, which text cannot have; export the file again as text.")
        return block

    def _line_of(self, block: bytes, place: int) -> int:
        return self.line + len(LINE_END.findall(block, 0, place))

    def _decoded(self, raw: bytes) -> bytes:
        if self._decoder is None:
            return raw
        try:
            return self._decoder.decode(raw, final=not raw).encode()
        except UnicodeError:
            raise ReadingError(f"it is not {self._codec.name} text; set SEEDS_ENCODING to the encoding it was written in.") from None


def lines_in(block: bytes) -> int:
    """The number of lines in a block of whole lines, of which the last may lack its line end."""
    ends = len(LINE_END.findall(block)) if b"\r" in block else block.count(b"\n")
    return ends + (not block.endswith((b"\n", b"\r")) and bool(block))


def _certain_encoding(first: bytes, setting: str) -> str:
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if first.startswith(codecs.BOM_UTF8):
        return "utf-8"
    # The setting may be for another file. What is written in an encoding of single bytes is practically never UTF-8, too.
    if setting and len("é".encode().decode(setting, "replace")) == 2 and not first.isascii():
        with suppress(UnicodeDecodeError):
            codecs.getincrementaldecoder("utf-8")().decode(first)
            return "utf-8"
    return ""


def _encoding_of(first: bytes) -> str:
    head = first[:100]
    if len(head) > 3 and not any(head[1::2]):
        return "utf-16-le"
    if len(head) > 3 and not any(head[0::2]):
        return "utf-16-be"
    return "utf-8"


def _not_text(number: int, line: bytes, is_first: bool) -> str:
    if not is_first:
        return f"line {number} is not UTF-8 text, and lines before it are: the file mixes encodings; export it again in one of them."
    windows = re.sub(r"[\0-\x08\n-\x1f\x7f]", "\ufffd", line.decode("cp1252", "replace").strip(WHITE_SPACE))
    shown = windows if len(windows) <= 60 else windows[:60] + "..."
    return (
        f"line {number} is not UTF-8 text; with SEEDS_ENCODING=cp1252 it would read '{shown}': set the encoding with which it reads correctly, "
        "or save the file as UTF-8."
    )


def _end_of_lines(block: bytes) -> int:
    """The position after the last whole line; a carriage return at the end may be half of a line end."""
    return max(block.rfind(b"\n"), block.rfind(b"\r", 0, len(block) - 1)) + 1
