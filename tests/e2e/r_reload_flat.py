#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import signal

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name

WARM, MEASURED, SERVERS = 300, 300, 50


def config(port, origin, i):
    """Something of every kind changes: a pool, its servers, a listener."""
    servers = {f"s{k}": {"address": f"127.0.1.{k}:{port}",
                         "weight": 1 + (i + k) % 3}
               for k in range(1, SERVERS + i % 2)}
    servers["s0"] = {"address": origin.text}
    return {
        # Lines would touch the log's queue for the first time, a KiB each.
        "global": {"log": {"level": "error", "access": False}},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o",
                              "max_connections": 1000 + i % 2}},
        "pools": {"o": {"servers": servers,
                        "health": {"interval": "500ms", "fall": 1,
                                   "fail_open": "0%"}}},
    }


def test(s):
    """Hundreds of reloads leave nothing behind, not even what is still
    referred to and freed at the end: what a leak checker does not see."""
    origin = Origin(s, name("a"))
    port = s.port()
    # What is freed shall be free: its quarantine is not our memory.
    b = Braid(s, config(port, origin, 0),
              asan=":quarantine_size_mb=0:thread_local_quarantine_size_kb=0")
    for i in range(1, WARM + 1):
        b.reload(config(port, origin, i))
    memory, descriptors = b.memory_bytes(), b.settled_descriptors()
    for i in range(WARM + 1, WARM + MEASURED + 1):
        b.reload(config(port, origin, i))
    s.equal(b.status()["config"]["reloads"], WARM + MEASURED, "reloads")
    s.equal(b.settled_descriptors(), descriptors, "descriptors stay")
    # The kernel's rings are touched as they turn, 16 bytes a completion;
    # a single configuration of this size has 50 KiB.
    grown = b.memory_bytes() - memory
    s.check(grown < MEASURED << 10,
            f"{grown >> 10} KiB more after {MEASURED} reloads")
    s.until(lambda: b.pool("o")["usable"] == 1, "one server is there")
    s.equal(client.names(("127.0.0.1", port), 4), {"a": 4}, "it serves")
    b.process.send(signal.SIGTERM)
    s.equal(b.exit_code(), 0, "exit code")


scenario.run(test, user="nobody")
