"""The files of a table, local or remote, and their content, compressed or not."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any, BinaryIO

from experiment_features.reading.errors import ReadingError

FORMS = (".csv", ".tsv", ".txt", ".xlsx")
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
BLOCK_BYTES = 1 << 20
# First bytes of files that are not tables, and what to do about each.
NOT_TABLES = {
    b"\xd0\xcf\x11\xe0": "an Excel workbook in the old format; save it as .xlsx or CSV.",
    b"%PDF": "a PDF file; export the table itself.",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself; fetch the file with `git lfs pull`.",
    b"PAR1": "a Parquet file; export the table as CSV.",
    b"SQLite format 3": "an SQLite database; export the table as CSV.",
    b"{\\rtf": "a word processor document; save the table as CSV.",
    b"\xff\xfe\0\0": "UTF-32 text; save it as UTF-8.",
    b"<?xml": "an XML file; export the table as CSV.",
    b'{"': "a JSON file; export the table as CSV.",
    b"[{": "a JSON file; export the table as CSV.",
    b"<!doctype html": "a web page, perhaps a login page; download the file itself.",
    b"<html": "a web page, perhaps a login page; download the file itself.",
}


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
        self._content: BinaryIO | None = None
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            self._stat = os.fstat(file.fileno())
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
        self.sha256 = digest.hexdigest()
        self.size_bytes = self._stat.st_size
        self.modified = datetime.fromtimestamp(self._stat.st_mtime, timezone.utc).isoformat()

    def require_same(self) -> None:
        """Raises ReadingError if the file has changed; a replacement of the same age has another inode."""
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
            first = file.read(64)
            file.seek(0)
            for start, what in NOT_TABLES.items():
                if first.lstrip().lower().startswith(start.lower()):
                    raise ReadingError(f"it is {what}")
            try:
                if first.startswith(b"PK\x03\x04"):
                    with zipfile.ZipFile(file) as archive, archive.open(_only_member(archive)) as content:
                        yield content
                elif opener := _opener(first):
                    with opener(file) as content:
                        yield content
                else:
                    yield file
            except _unpacking_errors() as error:
                # Errors of the system have a number, and are not about the content.
                if isinstance(error, OSError) and error.errno is not None:
                    raise
                raise ReadingError(f"it is compressed, and damaged or cut short ({error}); export or copy it again.") from None

    @property
    def position(self) -> int:
        """Number of bytes read so far; may be called from another thread."""
        try:
            return self._content.tell() if self._content else 0
        except ValueError:
            # The file is closed.
            return self.size_bytes

    @property
    def is_workbook(self) -> bool:
        return self.path.suffix.lower() == ".xlsx"


def _opener(first: bytes) -> Callable[[BinaryIO], Any] | None:
    if first.startswith(b"\x1f\x8b"):
        return gzip.open
    if first.startswith(b"BZh"):
        return bz2.open
    if first.startswith(b"\xfd7zXZ\0"):
        return lzma.open
    if first.startswith(b"\x28\xb5\x2f\xfd"):
        import zstandard

        return zstandard.open
    return None


def _unpacking_errors() -> tuple[type[BaseException], ...]:
    """The errors of all decompressors, including those for encrypted content and unknown methods."""
    # Imported only if a file needs it.
    zstandard = sys.modules.get("zstandard")
    others = (EOFError, OSError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, NotImplementedError, RuntimeError)
    return (*others, zstandard.ZstdError) if zstandard else others


def _only_member(archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/") and not _base(name).startswith(".")]
    if "xl/workbook.xml" in names:
        raise ReadingError("it is an Excel workbook without the extension .xlsx; rename it, or save it as CSV.")
    if "content.xml" in names:
        raise ReadingError("it is an OpenDocument spreadsheet; save it as .xlsx or CSV.")
    if any(name.lower().endswith(".xlsx") for name in names):
        raise ReadingError("it is a zip file with an Excel workbook in it; unpack it.")
    if len(names) != 1:
        raise ReadingError(f"it is a zip file with {len(names)} files; put one file in it, or unpack it.")
    return names[0]


def find(folder: str, table: str, copies: Path) -> list[File]:
    """The file of a table, or the files in its folder of parts, in order of name.

    Args:
        folder: the path of a folder, or a URL that fsspec knows.
        table: its name; `users` matches users.csv, Users.CSV, users.csv.gz, users.tsv, users.xlsx or a folder users.
        copies: a folder for copies of remote files.

    Raises:
        ReadingError: no file matches, or more than one.
        OSError: the folder or a file cannot be read.
    """
    if "://" in folder:
        return _fetch(folder, table, copies)
    path = Path(folder) / _only(sorted(path.name for path in Path(folder).iterdir()), table, folder)
    if not path.is_dir():
        return [File(path, path.name)]
    parts = [part for part in sorted(path.iterdir()) if not part.name.startswith((".", "_", "~$")) and part.suffix != ".md"]
    if other := next((part.name for part in parts if _stem(part.name) is None or part.is_dir()), ""):
        raise ReadingError(f"its folder contains {other}, which is not a table; remove it, or give it an extension such as .csv.")
    if not parts:
        raise ReadingError(f"the folder {path} contains no files; put the parts of the table there.")
    return [File(part, f"{path.name}/{part.name}") for part in parts]


def _stem(name: str) -> str | None:
    """The name of a file without its known extensions; None for all other files."""
    stem, ending = os.path.splitext(name.lower())
    if ending in PACKED:
        stem, ending = os.path.splitext(stem) if os.path.splitext(stem)[1] in FORMS else (stem, ".csv")
    return stem if ending in FORMS and not stem.startswith((".", "~$")) else None


def _is_of(name: str, table: str) -> bool:
    """Whether a file or folder is the table or a copy of it, as systems name copies: `users (1).csv`."""
    return table.lower() in (name.lower(), re.sub(r"( \(\d+\)| - copy| copy)+$", "", _stem(name) or ""))


def _only(names: list[str], table: str, folder: str) -> str:
    found = [name for name in names if _is_of(name, table)]
    if len(found) > 1:
        raise ReadingError(f"{folder} contains {' and '.join(found)}, and each could be the table {table}; keep only one of them there.")
    if not found:
        close = next((name for name in names if table.lower() in name.lower() and not name.startswith((".", "~$"))), "")
        if close:
            raise ReadingError(f"there is no such file; if {close} is meant, save it as {table}.csv or {table}.xlsx.")
        raise ReadingError("it cannot be read: No such file or directory; put the file there, or name its folder in SEEDS_DIR.")
    return found[0]


def _fetch(url: str, table: str, copies: Path) -> list[File]:
    """Copies the files of a table from any store that fsspec can read."""
    import fsspec

    # Keeps a password in the URL out of logs.
    shown = re.sub(r"//[^/@]*@", "//...@", url.rstrip("/"))
    try:
        store, root = fsspec.url_to_fs(url, use_listings_cache=False, **_options(url))
        names = _names(store, root, table)
        name = _only(names, table, shown)
        place = f"{root.rstrip('/')}/{name}"
        parts = [name]
        if "." not in name and store.isdir(place):
            parts = [f"{name}/{part}" for part in sorted(_base(one) for one in store.ls(place, detail=False)) if _stem(part) is not None]
        files = []
        for part in parts:
            copy = copies / part
            copy.parent.mkdir(parents=True, exist_ok=True)
            store.get_file(f"{root.rstrip('/')}/{part}", str(copy))
            files.append(File(copy, part))
        return files
    except ReadingError:
        raise
    except ImportError as error:
        named = re.search(r'(?:[Ii]nstall |requires ")(\w+)', str(error))
        package = error.name or (named and named[1])
        raise ReadingError(f"it cannot be read: {error}; install it with `.venv/bin/pip install {package or '...'}`.") from None
    except Exception as error:  # each store has its own errors
        text = str(error).replace(url, shown) or type(error).__name__
        raise ReadingError(f"it cannot be read: {text}; check the address and your access to it, and load it again.") from None


def _options(url: str) -> dict[str, Any]:
    """Extends fsspec's own settings: a large file takes longer than the five minutes that aiohttp allows."""
    if not url.startswith("http"):
        return {}
    import aiohttp
    import fsspec.config

    own = fsspec.config.conf.get(url.partition(":")[0], {}).get("client_kwargs", {})
    return {"client_kwargs": {**own, "timeout": aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)}}


def _base(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _names(store: Any, root: str, table: str) -> list[str]:
    """The names in a folder; if it cannot be listed, as on a web server, the first of the usual names that exists there."""
    try:
        names = sorted({_base(path) for path in store.ls(root, detail=False)})
    except (FileNotFoundError, NotADirectoryError):
        names = []
    if any(_is_of(name, table) for name in names):
        return names
    usual = [f"{table}{form}{packed}" for packed in ("", *PACKED) for form in FORMS]
    return [name for name in usual if store.exists(f"{root.rstrip('/')}/{name}")][:1]
