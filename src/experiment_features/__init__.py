"""The Python code of this project: its own Postgres, the reader, the lock and the run log, and the HTTP service."""
