"""``python duckdb_read.py FOLDER``: DuckDB's own reader, from user_experiments.csv into a table of text."""

import sys
import time

import duckdb

began = time.perf_counter()
duckdb.connect("read.duckdb").execute(f"create or replace table user_experiments as from read_csv('{sys.argv[1]}/user_experiments.csv', all_varchar = true)")
print(f"Time: {(time.perf_counter() - began) * 1000:.3f} ms")
