"""What the reader raises."""


class ReadingError(Exception):
    """A sentence on why a file cannot be read, and what to do about it."""
