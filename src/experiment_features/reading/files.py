"""A file and its content, decompressed; refuses what is not text."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import IO, Any

from backports import zstd

from experiment_features.reading.text import ReadingError

# Of all decompressors, including those for encrypted content and unknown methods.
UNPACKING_ERRORS = (EOFError, OSError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, zstd.ZstdError, NotImplementedError, RuntimeError)
BLOCK_BYTES = 1 << 20
# First bytes of files that are not tables, in lower case and without white space, and what to do about each.
NOT_TABLES: dict[bytes | tuple[bytes, ...], str] = {
    b"\xd0\xcf\x11\xe0": "an Excel workbook in the old format, or with a password; save it as .xlsx without a password, or as CSV.",
    b"%pdf": "a PDF file; export the table itself.",
    b"versionhttps://git-lfs": "a Git LFS pointer, not the file itself; fetch the file with `git lfs pull`.",
    b"par1\x15": "a Parquet file; export the table as CSV.",
    b"sqliteformat3": "an SQLite database; export the table as CSV.",
    b"{\\rtf": "a word processor document; save the table as CSV.",
    (b"\xff\xfe\0\0", b"\0\0\xfe\xff"): "UTF-32 text; save it as UTF-8.",
    (b"7z\xbc\xaf", b"rar!", b'\x04"m\x18'): "an archive of a kind that cannot be read; unpack it.",
    b"<?xml": "an XML file; export the table as CSV.",
    (b'{"', b"[{", b'[["'): "a JSON file; export the table as CSV.",
    (b"<!doctypehtml", b"<html", b"<head", b"<body", b"<table", b"<tr"): "a web page, perhaps a login page; download the file itself.",
}
# What the first bytes of text may have between the characters that count: white space, byte-order marks and the zero bytes of UTF-16.
BETWEEN = b" \t\r\n\0\xef\xbb\xbf\xfe\xff"


class File:
    """A local file in its current state.

    Attributes:
        path: where it is; for a remote file, where its copy is.
        name: the name shown to the user.
        size_bytes, modified, sha256: its size, the time of its last change (UTC, ISO 8601), and the digest of its content.
        lines_before: number of lines in the parts read before it; set when it is read.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name, self.lines_before = path, name, 0
        self._content: IO[bytes] = io.BytesIO()
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            self._stat = os.fstat(file.fileno())
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
        self.sha256, self.size_bytes = digest.hexdigest(), self._stat.st_size
        self.modified = datetime.fromtimestamp(self._stat.st_mtime, timezone.utc).isoformat()

    def require_same(self) -> None:
        """Raises ReadingError if the file has changed; a replacement with the same modification time has another inode."""
        try:
            now = os.stat(self.path)
        except OSError as error:
            raise ReadingError(f"the file disappeared while it was loaded ({error.strerror}); put it back and load it again.") from None
        if any(getattr(now, name) != getattr(self._stat, name) for name in ("st_size", "st_mtime_ns", "st_ino", "st_dev")):
            raise ReadingError(
                f"the file changed while it was loaded, from {self.size_bytes} bytes to {now.st_size}; load it again when nothing is writing to it."
            )

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The content, decompressed. Raises ReadingError if it is not a table."""
        with open(self.path, "rb") as file:
            self._content = file
            opener = _opener(file)
            try:
                with opener(file) as content:
                    require_text(content)
                    if opener is not nullcontext and _opener(content) is not nullcontext:
                        raise ReadingError("it is compressed more than once; unpack it.")
                    yield content
            except UNPACKING_ERRORS as error:
                # Errors of the operating system have a number, and are not about the content.
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                raise ReadingError(f"it is compressed, and damaged or cut short ({error}); export or copy it again.") from None

    @property
    def position(self) -> int:
        """Number of bytes read so far; may be called from another thread."""
        with suppress(ValueError):
            return self._content.tell()
        # It is closed.
        return self.size_bytes


def _first_bytes(file: IO[bytes]) -> bytes:
    first = file.read(512)
    file.seek(0)
    return first


def _opener(file: IO[bytes]) -> Any:
    """What decompresses a file."""
    first = _first_bytes(file)
    return next((opener for start, opener in OPENERS.items() if first.startswith(start)), nullcontext)


def require_text(file: IO[bytes]) -> None:
    """Raises ReadingError if a file is of a known kind other than text."""
    first = _first_bytes(file)
    for start, what in NOT_TABLES.items():
        if first.startswith(start) or first.translate(None, BETWEEN).lower().startswith(start):
            raise ReadingError(f"it is {what}")
    if first[257:262] == b"ustar":
        raise ReadingError("it is a tar archive; unpack it.")


def _only_member(file: IO[bytes]) -> IO[bytes]:
    archive = zipfile.ZipFile(file)
    names = [
        name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/") and not PurePosixPath(name).name.startswith(".")
    ]
    if "xl/workbook.xml" in names:
        raise ReadingError("it is an Excel workbook without the extension .xlsx; rename it, or save it as CSV.")
    if "content.xml" in names:
        raise ReadingError("it is an OpenDocument spreadsheet; save it as .xlsx or CSV.")
    if any(name == "[Content_Types].xml" or name.startswith("Index/") for name in names):
        raise ReadingError("it is a document of Office or Numbers; save the table as .xlsx or CSV.")
    if any(name.lower().endswith(".xlsx") for name in names):
        raise ReadingError("it is a zip file with an Excel workbook in it; unpack it.")
    if len(names) != 1:
        raise ReadingError(f"it is a zip file with {len(names)} files; put one file in it, or unpack it.")
    return archive.open(names[0])


OPENERS: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open, b"\x28\xb5\x2f\xfd": zstd.open, b"P*M\x18": zstd.open,
    b"PK\x03\x04": _only_member,
}  # fmt: skip
