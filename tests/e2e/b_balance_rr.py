#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name

WEIGHTS = {"a": 5, "b": 2, "c": 1, "zero": 0}


def test(s):
    """rr shares exactly by weight and smoothly; weight 0 gets nothing; two
    workers together stay within a round of it."""
    origins = {n: Origin(s, name(n)) for n in WEIGHTS}
    port = s.port()
    config = {
        "global": {"workers": 1},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"balance": "rr", "servers": {
            n: {"address": origins[n].text, "weight": w}
            for n, w in WEIGHTS.items()}}},
    }
    b = Braid(s, config, name="one")
    order = []
    for _ in range(80):
        order.append(client.ask(("127.0.0.1", port))[0].decode())
    counts = {n: order.count(n) for n in WEIGHTS}
    s.equal(counts, {"a": 50, "b": 20, "c": 10, "zero": 0},
            "80 connections by one worker")
    rounds = {tuple(sorted(order[i:i + 8])) for i in range(0, 80, 8)}
    s.equal(rounds, {("a",) * 5 + ("b",) * 2 + ("c",)}, "each round of 8")
    longest = max(len(run) for run in "".join(order).replace("b", " ")
                  .replace("c", " ").split())
    s.check(longest <= 3, f"a's turns are spread: {longest} in a row at most")
    b.stop()

    config["global"]["workers"] = 2
    b = Braid(s, config, name="two")
    counts = client.names(("127.0.0.1", port), 160)
    for n, want in (("a", 100), ("b", 40), ("c", 20)):
        s.check(abs(counts[n] - want) <= 2 * WEIGHTS[n],
                f"two workers: {n} got {counts[n]} of {want}")
    s.check("zero" not in counts, "weight 0 got nothing")
    b.stop()


scenario.run(test, user="nobody")
