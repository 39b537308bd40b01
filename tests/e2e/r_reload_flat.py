#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import signal

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name

ROUND, ROUNDS, SERVERS = 300, 8, 50


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
                        "health": {"interval": "500ms", "timeout": "20s",
                                   "fall": 1, "fail_open": "0%"}}},
    }


def test(s):
    """Hundreds of reloads leave nothing behind, not even what is still
    referred to and freed at the end: what a leak checker does not see."""
    origin = Origin(s, name("a"))
    port = s.port()
    # What is freed shall be free: its quarantine is not our memory.
    b = Braid(s, config(port, origin, 0),
              asan=":quarantine_size_mb=0:thread_local_quarantine_size_kb=0")
    reloads = 0

    def measured_round():
        nonlocal reloads
        for _ in range(ROUND):
            reloads += 1
            b.reload(config(port, origin, reloads))
        return b.memory_bytes()

    memory = measured_round()
    descriptors = b.settled_descriptors()
    for _ in range(ROUNDS):
        before, memory = memory, measured_round()
        grown = memory - before
        s.say(f"{grown >> 10} KiB more after {ROUND} reloads")
        # The kernel's rings are touched as they turn, 16 bytes a completion;
        # a single configuration of this size has 50 KiB.
        if grown < ROUND << 10:
            break
    else:
        # The kernel may hand out a large page once, but what is left behind
        # by reloads is left behind in every round.
        s.check(False, "memory grows with reloads")
    s.equal(b.status()["config"]["reloads"], reloads, "reloads")
    # Those of a health check may be among them.
    s.until(lambda: b.settled_descriptors() <= descriptors,
            "descriptors stay")
    s.until(lambda: b.pool("o")["usable"] == 1, "one server is there")
    s.equal(client.names(("127.0.0.1", port), 4), {"a": 4}, "it serves")
    b.process.send(signal.SIGTERM)
    s.equal(b.exit_code(), 0, "exit code")


scenario.run(test, user="nobody")
