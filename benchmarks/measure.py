"""Runs a command, and records how long it took and its peak memory.

``python measure.py REPORT COMMAND...`` writes seconds, peak_mib and exit_code as JSON to the file REPORT. The
memory is that of the command's largest process, as Linux reports it once the process has ended.

It runs as a separate, small process, because Linux counts the memory of a parent process towards the peak of the
process that it starts.
"""

import json
import os
import sys
import time


def main(report: str, *command: str) -> None:
    start = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    with open(report, "w") as file:
        json.dump(
            {
                "seconds": seconds,
                "peak_mib": usage.ru_maxrss / 1024,
                "exit_code": os.waitstatus_to_exitcode(status),
            },
            file,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
