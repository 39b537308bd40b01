#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter


def test(s):
    """Connections that wait because every server is down, or drained, are
    served when one is back, also when the pool was changed by a reload while
    they waited."""
    origin, drained = Origin(s, greeter("b")), Origin(s, greeter("d"))
    ports = {n: s.port() for n in ("down", "drained")}
    queue = {"length": 10, "timeout": "60s"}
    config = {
        "listeners": {n: {"bind": f"127.0.0.1:{p}", "pool": n}
                      for n, p in ports.items()},
        "pools": {
            "down": {"servers": {"b": {"address": origin.text}},
                     "queue": queue,
                     "health": {"interval": "50ms", "rise": 1, "fall": 1,
                                "fail_open": "0%"}},
            "drained": {"servers": {"d": {"address": drained.text}},
                        "queue": queue}},
    }
    origin.down()
    b = Braid(s, config)
    s.until(lambda: b.server("down", "b")["health"] == "down", "b is down")
    b.ctl("drain", "drained", "d")
    waiting = {}
    for pool, port in ports.items():
        waiting[pool] = [client.connect(("127.0.0.1", port))
                         for _ in range(3)]
        s.until(lambda: b.pool(pool)["queued"] == 3, f"3 wait for {pool}")
    for pool, server in (("down", "b"), ("drained", "d")):
        config["pools"][pool]["servers"][server]["weight"] = 2
    b.reload(config)
    origin.up()
    b.ctl("ready", "drained", "d")
    s.until(lambda: b.server("down", "b")["health"] == "up", "b is up")
    for pool, want in (("drained", b"d"), ("down", b"b")):
        for sock in waiting[pool]:
            s.equal(client.read_exactly(sock, 1), want,
                    f"who waited for {pool} has")
            sock.close()
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
