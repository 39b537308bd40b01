# SPDX-License-Identifier: Apache-2.0
"""Recorded flows: a braidd that records, and its file as a reader sees it."""

import csv
import time

from . import client
from .process import Failure


TRIES = 100


def config(port, server, path, **profiler):
    return {
        "global": {"log": {"access": False}},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": server}}}},
        "profiler": {"mode": "observe", "record": path, "record_share": 1,
                     **profiler},
    }


def rows(path):
    """All rows; every line must be whole and have a value for each column.
    While it is written a reader may see half a batch, but not for long."""
    for _ in range(TRIES):
        try:
            return _rows(path)
        except Failure:
            time.sleep(0.1)
    return _rows(path)


def _rows(path):
    try:
        with open(path, encoding="ascii", newline="") as f:
            text = f.read()
    except FileNotFoundError:
        return []
    if not text.endswith("\n") or not text.startswith("_time,"):
        raise Failure(f"{path} begins {text[:20]!r} and ends {text[-20:]!r}")
    found = list(csv.DictReader(text.splitlines()))
    for row in found:
        if None in row or None in row.values() or row["_time"] == "_time":
            raise Failure(f"{path}: a torn row: {row}")
    return found


def firsts(*paths):
    """How many flows: each has one row of its first bytes."""
    return sum(row["_checkpoint"] == "first" for path in paths
               for row in rows(path))


def visit(port, n=1):
    """n flows of one question each."""
    for _ in range(n):
        with client.connect(("127.0.0.1", port)) as sock:
            if not client.echoes(sock, b"question"):
                raise Failure("a flow is not served")
