"""Whether a file is still the one that was there when it was first looked at."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timezone

BLOCK_BYTES = 1 << 20


class FileState:
    """A file as it is now.

    Attributes:
        size_bytes: of the file.
        modified: when it was written last, in UTC, as ISO 8601.
        sha256: of its content, in hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            self._stat = os.fstat(file.fileno())
            while block := file.read(BLOCK_BYTES):
                digest.update(block)
        self.sha256 = digest.hexdigest()
        self.size_bytes = self._stat.st_size
        self.modified = datetime.fromtimestamp(self._stat.st_mtime, timezone.utc).isoformat()

    @property
    def change(self) -> str:
        """A sentence about what has changed since then; empty where nothing has."""
        try:
            now = os.stat(self._path)
        except OSError as error:
            return f"the file went away while it was loaded ({error.strerror}); put it there and load it again."
        if [getattr(now, name) for name in SAME] == [getattr(self._stat, name) for name in SAME]:
            return ""
        return (
            f"the file changed while it was loaded, from {self.size_bytes} bytes to {now.st_size}; "
            "load it again when nothing writes to it."
        )


# A file that was replaced by another is told by its inode, even where the other has the same age.
SAME = ("st_size", "st_mtime_ns", "st_ino", "st_dev")
