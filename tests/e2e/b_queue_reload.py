#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import signal

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter


def test(s):
    """Connections that wait in a queue when the pool changes by reload are
    served as if nothing had happened. TERM lets them wait, too."""
    origins = {n: Origin(s, greeter(n)) for n in "ab"}
    full, down = s.port(), s.port()
    config = {
        "global": {"drain": "60s"},
        "listeners": {"full": {"bind": f"127.0.0.1:{full}", "pool": "full"},
                      "down": {"bind": f"127.0.0.1:{down}", "pool": "down"}},
        "pools": {
            "full": {"servers": {"a": {"address": origins["a"].text,
                                       "max_connections": 1}},
                     "queue": {"length": 10, "timeout": "60s"}},
            "down": {"servers": {"b": {"address": origins["b"].text}},
                     "queue": {"length": 10, "timeout": "60s"},
                     "health": {"interval": "50ms", "rise": 1, "fall": 1,
                                "fail_open": "0%"}}},
    }
    origins["b"].down()
    b = Braid(s, config)
    s.until(lambda: b.server("down", "b")["health"] == "down", "b is down")

    def waits(port, pool, n):
        sock = client.connect(("127.0.0.1", port))
        s.until(lambda: b.pool(pool)["queued"] == n, f"{n} wait for {pool}")
        return sock

    held = client.connect(("127.0.0.1", full))
    client.read_exactly(held, 1)
    old = [waits(full, "full", n + 1) for n in range(2)]

    s.say("-- both pools change")
    config["pools"]["full"]["servers"]["a"]["weight"] = 2
    config["pools"]["down"]["servers"]["b"]["weight"] = 2
    b.reload(config)
    s.check(client.echoes(held), "the held flow works")
    new = [client.connect(("127.0.0.1", full)) for _ in range(2)]
    # One after the other, in some order: nobody is forgotten.
    held.close()
    waiting = old + new
    for sock in waiting:
        sock.setblocking(False)
    while waiting:
        def ready():
            found = []
            for sock in waiting:
                try:
                    if sock.recv(1) != b"a":
                        raise AssertionError("ended without an answer")
                    found.append(sock)
                except BlockingIOError:
                    pass
            return found
        for sock in s.until(ready, f"of {len(waiting)} the next is served"):
            waiting.remove(sock)
            sock.close()

    origins["b"].up()
    s.until(lambda: b.server("down", "b")["health"] == "up", "b is up")
    b.idle()

    s.say("-- removed while somebody waits, and TERM")
    held = client.connect(("127.0.0.1", full))
    client.read_exactly(held, 1)
    last = waits(full, "full", 1)
    config["listeners"]["full"]["pool"] = "down"
    del config["pools"]["full"]
    b.reload(config)
    s.check(client.echoes(held), "a flow of the removed pool works")
    late = client.connect(("127.0.0.1", full))
    s.equal(client.read_exactly(late, 1), b"b", "the listener's new pool")
    late.close()
    b.process.send(signal.SIGTERM)
    b.wait_event("draining")
    held.close()
    s.equal(client.read_exactly(last, 1), b"a",
            "who waited in the removed pool is served while draining")
    last.close()
    s.equal(b.exit_code(), 0, "exit code")
    s.equal(b.events("stopped")[0]["how"], "drained", "how it stopped")
    s.equal({f["end"] for f in b.flows()}, {"--"}, "codes of all flows")


scenario.run(test, user="nobody")
