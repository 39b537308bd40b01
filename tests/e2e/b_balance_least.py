#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter

WEIGHTS = {"a": 1, "b": 2, "c": 3}


def test(s):
    """least fills servers in proportion to their weights, over both workers,
    and sends new connections where old ones have ended."""
    origins = {n: Origin(s, greeter(n)) for n in WEIGHTS}
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"balance": "least", "servers": {
            n: {"address": origins[n].text, "weight": w}
            for n, w in WEIGHTS.items()}}},
    })

    def open_one():
        sock = client.connect(("127.0.0.1", port))
        return client.read_exactly(sock, 1).decode(), sock

    held = [open_one() for _ in range(60)]
    counts = {n: sum(h[0] == n for h in held) for n in WEIGHTS}
    s.equal(counts, {"a": 10, "b": 20, "c": 30}, "60 held connections")
    s.check(all(client.echoes(sock) for _, sock in held), "all of them work")

    gone = [h for h in held if h[0] == "c"][:12]
    for h in gone:
        h[1].close()
        held.remove(h)
    s.until(lambda: b.server("o", "c")["connections"] == 18,
            "c has 12 connections less")
    again = [open_one() for _ in range(12)]
    s.equal({n for n, _ in again}, {"c"}, "the next 12 go to")
    for _, sock in held + again:
        sock.close()
    b.idle()
    s.equal([b.server("o", n)["connections"] for n in WEIGHTS], [0, 0, 0],
            "connections after the end")
    b.stop()


scenario.run(test, user="root")
