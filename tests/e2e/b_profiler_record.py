#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import csv
import os
import signal

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, echo

FLOWS = 20


def config(port, origin, path, mode="observe"):
    return {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
        "profiler": {"mode": mode, "model": "none", "record": path,
                     "record_share": 1},
    }


def whole(found):
    return all(None not in row and None not in row.values() for row in found)


def firsts(found):
    """How many flows: each has one row of its first bytes."""
    return sum(row["_checkpoint"] == "first" for row in found)


def test(s):
    """What flows did is recorded as braid-train reads it: a row for each
    verdict, sizes as they were, clients only as networks; nothing more once
    it is switched off; and all of it when the process ends."""
    origin = Origin(s, echo)
    port = s.port()
    folder = s.make_folder("records", scenario.NAMELESS)
    path = os.path.join(folder, "flows.csv")
    b = Braid(s, config(port, origin, path))

    def flows(n):
        for _ in range(n):
            with client.connect(("127.0.0.1", port)) as sock:
                client.echoes(sock, b"x" * 100)
                client.echoes(sock, b"y" * 20000)
        b.idle()

    def rows():
        if not os.path.exists(path):
            return []
        with open(path, encoding="ascii", newline="") as file:
            return list(csv.DictReader(file))

    def all_rows(flows):
        """Once they are there; a busy machine makes more of them, by time."""
        def look():
            found = rows()
            return found if whole(found) and firsts(found) == flows and \
                len(found) == b.metrics().total(
                    "braid_recorded_rows_total") else None
        return s.until(look, f"all rows of {flows} flows")

    flows(FLOWS)
    found = all_rows(FLOWS)
    s.equal({row["_listener"] for row in found}, {"web"}, "listener")
    s.equal({row["_network"] for row in found}, {"127.0.0.0/24"}, "network")
    s.equal({row["_up_bytes"] for row in found}, {"20100"}, "bytes")
    first = [row for row in found if row["_checkpoint"] == "first"]
    s.equal(len(first), FLOWS, "rows of first bytes")
    s.equal({(row["size_1"], row["size_2"], row["up_bytes"])
             for row in first}, {("100", "0", "100")}, "what was known then")
    answers = [row for row in found if row["_checkpoint"] == "answer"]
    s.equal({(row["size_1"], row["size_2"]) for row in answers},
            {("100", "-100")}, "and at the answer")
    s.check(any(row["_checkpoint"] == "16KiB" for row in found),
            "there are rows of 16 KiB")
    s.equal({row["protocol"] for row in found}, {"0"}, "no protocol")
    line = b.wait_flows(FLOWS)[0]
    s.equal(line["class"], "unknown", "without a model the class")
    b.reload(config(port, origin, path, mode="off"))
    flows(5)
    s.check("class" not in b.wait_flows(FLOWS + 5)[-1], "no class when off")
    s.equal(len(rows()), len(found), "rows")
    # It ends while it records, and what has ended before is in the file.
    b.reload(config(port, origin, path))
    flows(FLOWS)
    b.process.send(signal.SIGTERM)
    s.equal(b.exit_code(), 0, "exit code")
    found = rows()
    s.equal((whole(found), firsts(found)), (True, 2 * FLOWS),
            "whole rows, and flows, at the end")


scenario.run(test, user="nobody")
