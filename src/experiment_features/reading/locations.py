"""Finds the files of a table: in a folder, a folder of parts, or a remote store, from which it copies them."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from experiment_features.reading.files import File
from experiment_features.reading.text import ReadingError

FORMS = (".csv", ".tsv", ".txt", ".xlsx")
PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
# How systems name copies of a file, and spreadsheets a sheet of it.
COPY = re.compile(
    r"^(?:copy|kopie|copie|copia) (?:of|von|de) |(?: ?\(\d+\)|[ -]\d{1,2}| - sheet\d+|(?: -)? (?:copy|kopie|copie|c[oó]pia)| \([^()]*copy[^()]*\))+$"
)


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


def _letters(name: str) -> str:
    return "".join(filter(str.isalpha, name.lower()))


def _only(names: list[str], table: str, folder: str) -> str:
    found = [name for name in names if _is_of(name, table)]
    if len(found) > 1:
        raise ReadingError(f"{folder} contains {' and '.join(found)}, and each could be the table {table}; keep only one of them there.")
    if found:
        return found[0]
    close = [name for name in names if _letters(table) in _letters(name) and not name.startswith((".", "~$"))]
    if len(close) > 1:
        raise ReadingError(f"there is no such file; if {', '.join(close[:5])} are its parts, move all of them to a folder named {table}.")
    if close:
        raise ReadingError(f"there is no such file; if {close[0]} is meant, save it as {table}.csv or {table}.xlsx.")
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
