"""The files of a table, local or remote, and their content: text, compressed or not, or a sheet of a workbook."""

from __future__ import annotations

import bz2
import functools
import gzip
import hashlib
import io
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import IO, Any
from xml.etree import ElementTree

from backports import zstd

from experiment_features.reading.text import WHITE_SPACE, ReadingError

FORMS = (".csv", ".tsv", ".txt", ".xlsx")
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
# Of all decompressors, including those for encrypted content and unknown methods.
UNPACKING_ERRORS = (EOFError, OSError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, zstd.ZstdError, NotImplementedError, RuntimeError)
BLOCK_BYTES = 1 << 20
# In a workbook: a formula, the start of a cell with an error, and a cell in a column after Z.
FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
ERROR = re.compile(rb"""(<(?:\w+:)?c(?: [^>]*?)?) t=["']e["']""")
FAR_CELL = re.compile(rb""" r=["']([A-Z]{2,3})[0-9]""")
# Asks Excel to calculate the formulas, because the program that wrote the workbook has not.
TO_CALCULATE = re.compile(rb"""fullCalcOnLoad=["'](?:1|true)""")
# The text of a cell whose formula has no result.
NOT_CALCULATED = "\0="
# Each takes about 30 bytes of memory, whether it is filled or not.
MOST_CELLS = 50_000_000
# How systems name copies of a file.
COPY = re.compile(r"^(?:copy|kopie|copie|copia) (?:of|von|de) |(?: ?\(\d+\)| \d|(?: -)? (?:copy|kopie|copie|copia))+$")
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
                    _require_text(content)
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


def _require_text(file: IO[bytes]) -> None:
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
            _require_text(file)
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
            f"its cells reach as far as column {last} and row {max(map(int, rows))}; delete the columns and rows beside the table, or save it as CSV."
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
    return str(cell).removesuffix(" 00:00:00") if isinstance(cell, datetime) else str(cell).replace("_x000D_", "\r")


def find(folder: str, table: str, copies: Path) -> list[File]:
    """The file of a table, or the files in its folder of parts, in order of name. Raises ReadingError if none matches, or more than one.

    Args:
        folder: the path of a folder, or a URL that fsspec knows; its files are copied to `copies`.
        table: its name; `users` matches users.csv, Users.CSV, users.csv.gz, users.tsv, users.xlsx or a folder users.
    """
    if "://" in folder:
        _fetch(folder, table, copies)
        folder = str(copies)
    path = Path(folder) / _only(sorted(one.name for one in Path(folder).iterdir()), table, folder)
    if not path.is_dir():
        return [File(path, path.name)]
    parts = _parts(sorted(part.name + "/" * part.is_dir() for part in path.iterdir()))
    if not parts:
        raise ReadingError("its folder contains no files; put the parts of the table there.")
    return [File(path / part, f"{path.name}/{part}") for part in parts]


def _parts(names: list[str]) -> list[str]:
    """Those of the names in a folder that are parts of its table. Raises ReadingError if others could be."""
    parts = [name for name in names if not name.startswith((".", "_", "~$")) and not name.endswith(".md")]
    if other := next((name for name in parts if _stem(name) is None), ""):
        raise ReadingError(f"its folder contains {other}, which is not a table; remove it, or give it an extension such as .csv.")
    return parts


def _stem(name: str) -> str | None:
    """The name of a file without its known extensions; None if it has none."""
    stem, ending = os.path.splitext(name.lower())
    if ending in PACKED:
        # A workbook is compressed already.
        stem, ending = os.path.splitext(stem) if os.path.splitext(stem)[1] in FORMS[:-1] else (stem, ".csv")
    return stem if ending in FORMS and not stem.startswith((".", "~$")) else None


def _is_of(name: str, table: str) -> bool:
    """Whether a file or folder is the table or a copy of it, as systems name copies: `users (1).csv`."""
    return table.lower() in (name.lower(), COPY.sub("", _stem(name) or ""))


def _only(names: list[str], table: str, folder: str) -> str:
    found = [name for name in names if _is_of(name, table)]
    if len(found) > 1:
        raise ReadingError(f"{folder} contains {' and '.join(found)}, and each could be the table {table}; keep only one of them there.")
    if found:
        return found[0]
    if close := next((name for name in names if table.lower() in name.lower() and not name.startswith((".", "~$"))), ""):
        raise ReadingError(f"there is no such file; if {close} is meant, save it as {table}.csv or {table}.xlsx.")
    raise ReadingError("it cannot be read: No such file or directory; put the file there, or name its folder in SEEDS_DIR.")


def without_password(text: str) -> str:
    """A text without the user, the password and the query of addresses in it; a query may have a key."""
    return re.sub(r"(://[^\s?]*\?)\S*", r"\1...", re.sub(r"//[^/\s]*@", "//...@", text))


def _fetch(url: str, table: str, copies: Path) -> None:
    """Copies the files of a table from any store that fsspec can read."""
    import fsspec

    options = {}
    try:
        if url.startswith("http"):
            import aiohttp

            # A large file takes longer than the five minutes that aiohttp allows.
            own = fsspec.config.conf.get(url.partition(":")[0], {}).get("client_kwargs", {})
            options = {"client_kwargs": {**own, "timeout": aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)}}
        store, root = fsspec.url_to_fs(url, use_listings_cache=False, **options)
        name = _only(_names(store, root, table), table, without_password(url))
        root, parts = root.rstrip("/"), [name]
        if "." not in name and store.isdir(f"{root}/{name}"):
            (copies / name).mkdir()
            parts = [f"{name}/{part}" for part in _parts(_listed(store, f"{root}/{name}"))]
        for part in parts:
            store.get_file(f"{root}/{part}", str(copies / part))
    except ReadingError:
        raise
    except ImportError as error:
        named = re.search(r'(?:[Ii]nstall |requires ")(\w+)', str(error))
        package = error.name or (named and named[1])
        raise ReadingError(f"it cannot be read: {error}; install it with `.venv/bin/pip install {package or '...'}`.") from None
    except Exception as error:  # each store has its own errors
        text = without_password(str(error)) or type(error).__name__
        raise ReadingError(f"it cannot be read: {text}; check the address and your access to it, and load it again.") from None


def _listed(store: Any, folder: str) -> list[str]:
    """The names in a remote folder, without links that sort a web page, and without the folder itself, which S3 may list."""
    paths = map(PurePosixPath, store.ls(folder, detail=False))
    return sorted({path.name for path in paths if path != PurePosixPath(folder) and not path.name.startswith("?")})


def _names(store: Any, root: str, table: str) -> list[str]:
    """The names in a folder; if it cannot be listed, as on a web server, the first of the usual names that exists there."""
    try:
        names = _listed(store, root)
    except (FileNotFoundError, NotADirectoryError):
        names = []
    if any(_is_of(name, table) for name in names):
        return names
    usual = [f"{table}{form}{packed}" for packed in ("", *PACKED) for form in FORMS]
    return [name for name in usual if store.exists(f"{root.rstrip('/')}/{name}")][:1]
