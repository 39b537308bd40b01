#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter

WEIGHTS = {"a": 1, "b": 1, "c": 2, "d": 4}


def test(s):
    """p2c, the default, keeps held connections near the weights, over both
    workers, and uses every server."""
    origins = {n: Origin(s, greeter(n)) for n in WEIGHTS}
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {
            n: {"address": origins[n].text, "weight": w}
            for n, w in WEIGHTS.items()}}},
    })
    s.equal(b.pool("o")["balance"], "p2c", "the default algorithm")
    held = []
    for _ in range(240):
        sock = client.connect(("127.0.0.1", port))
        held.append((client.read_exactly(sock, 1).decode(), sock))
    counts = {n: sum(h[0] == n for h in held) for n in WEIGHTS}
    # Blind draws would have a standard deviation of 5 to 8 connections.
    for n, want in (("a", 30), ("b", 30), ("c", 60), ("d", 120)):
        s.check(abs(counts[n] - want) <= 12,
                f"{n} holds {counts[n]}, its share is {want}")
        s.equal(b.server("o", n)["connections"], counts[n],
                f"braidctl agrees about {n}")
    for _, sock in held:
        sock.close()
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
