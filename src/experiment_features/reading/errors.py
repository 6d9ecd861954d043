"""The error that the reader raises."""


class ReadingError(Exception):
    """Explains in one sentence why a file cannot be read, and what to do about it."""
