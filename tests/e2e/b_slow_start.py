#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter


def test(s):
    """A server that comes back begins with a tenth of its weight and limit;
    one that was there at the start does not. Without slow_start all is as
    before at once."""
    origins = {n: Origin(s, greeter(n)) for n in "ab"}
    port = s.port()
    config = {
        "global": {"workers": 1},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"balance": "rr", "slow_start": "1h",
                        "servers": {n: {"address": o.text,
                                        "max_connections": 30}
                                    for n, o in origins.items()},
                        "health": {"interval": "50ms", "rise": 1,
                                   "fall": 2}}},
    }
    b = Braid(s, config)

    def opened():
        sock = client.connect(("127.0.0.1", port))
        return client.read_exactly(sock, 1).decode(), sock

    def asked(n):
        counts = {"a": 0, "b": 0}
        for _ in range(n):
            text, sock = opened()
            sock.shutdown(1)
            client.read_end(sock)  # its slot is free
            sock.close()
            counts[text] += 1
        b.idle()
        return counts

    def wait(server, health):
        s.until(lambda: b.server("o", server)["health"] == health,
                f"{server} is {health}")

    for n in "ab":
        wait(n, "up")
    s.equal(asked(40), {"a": 20, "b": 20}, "after the start")
    s.equal(b.server("o", "a")["slow_start_percent"], 100, "percent of a")

    s.say("-- a was down")
    origins["a"].down()
    wait("a", "down")
    origins["a"].up()
    wait("a", "up")
    counts = asked(110)
    s.check(9 <= counts["a"] <= 12, f"1:10 when it comes back: {counts}")
    percent = b.server("o", "a")["slow_start_percent"]
    s.check(10 <= percent <= 20, f"percent of a: {percent}")
    value = b.metrics().value("braid_server_slow_start_ratio", pool="o",
                              server="a")
    s.check(0.1 <= value <= 0.2, f"in the metrics: {value}")
    s.equal(b.metrics().value("braid_server_slow_start_ratio", pool="o",
                              server="b"), 1, "of b")
    b.braidctl("drain", "o", "b")
    held = [opened() for _ in range(3)]
    s.equal({n for n, _ in held}, {"a"}, "b is drained: who answers")
    s.equal(client.ask(("127.0.0.1", port)), (b"", client.RESET),
            "3 of 30 is all that a takes yet")
    for _, sock in held:
        sock.close()
    b.idle()

    s.say("-- the operator brings b back")
    b.braidctl("ready", "o", "b")
    percent = b.server("o", "b")["slow_start_percent"]
    s.check(10 <= percent <= 20, f"percent of b: {percent}")
    config["pools"]["o"]["slow_start"] = "0s"
    b.reload(config)
    s.equal(asked(40), {"a": 20, "b": 20}, "without slow_start")
    b.stop()


scenario.run(test, user="nobody")
