"""Imported by every dbt process, as dbt does with each installed module named ``dbt_*``.

dbt reads seed files below 1 MiB whole while it parses, and stops with a traceback at one that is
not UTF-8. This project hands the files to the server unread, so dbt is told that each is too large
to read; the loading macro then names the line that is at fault.
"""

import dbt.contracts.files

dbt.contracts.files.MAXIMUM_SEED_SIZE = -1
