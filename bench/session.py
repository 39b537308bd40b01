# SPDX-License-Identifier: Apache-2.0
"""What every bench does around its work: a folder of its own that goes with
it, an end in order also on TERM and hang-up, and the exit status."""
import os
import shutil
import signal
import sys
import tempfile

import procs

INTERRUPTED = 130


def interrupt(*_):
    raise KeyboardInterrupt


def run(name, work, prefix="braid-bench-", folder=None,
        failures=(procs.BenchError,)):
    """The exit status of work(temp), whose folder service users may read;
    `failures` are said in one line."""
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    temp = tempfile.mkdtemp(prefix=prefix, dir=folder)
    os.chmod(temp, 0o755)
    try:
        return work(temp)
    except failures as why:
        print(f"{name}: {why}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr, flush=True)
        return INTERRUPTED
    finally:
        shutil.rmtree(temp, ignore_errors=True)
