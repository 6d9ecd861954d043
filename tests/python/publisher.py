"""A process that keeps dbt loaded: for each line it reads, it runs dbt once more, and prints "True" if that
succeeded. Its arguments are those of dbt."""

from __future__ import annotations

import sys

from dbt.cli.main import dbtRunner

arguments = sys.argv[1:]
manifest = dbtRunner().invoke(["--quiet", "parse"]).result
for _ in sys.stdin:
    result = dbtRunner(manifest=manifest).invoke(arguments)
    print(f"\n{result.success}", flush=True)
