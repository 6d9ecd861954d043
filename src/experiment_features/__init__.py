"""What of this project is not SQL: the embedded Postgres."""
