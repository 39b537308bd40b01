#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter, name


def test(s):
    """Backups serve when no other server is usable, all of them, and only
    then; servers that are full do not call for them."""
    origins = {n: Origin(s, name(n)) for n in ("p1", "p2", "b1", "b2")}
    busy, spare = Origin(s, greeter("x")), Origin(s, greeter("y"))
    port, full = s.port(), s.port()
    b = Braid(s, {
        "global": {"workers": 1},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"},
                      "full": {"bind": f"127.0.0.1:{full}", "pool": "f"}},
        "pools": {
            "o": {"balance": "rr", "servers": {
                n: {"address": o.text, "backup": n[0] == "b"}
                for n, o in origins.items()},
                "health": {"interval": "50ms", "rise": 1, "fall": 2}},
            "f": {"queue": {"length": 5, "timeout": "60s"}, "servers": {
                "x": {"address": busy.text, "max_connections": 1},
                "y": {"address": spare.text, "backup": True}}}},
    })

    def asked():
        return client.names(("127.0.0.1", port), 40)

    def wait(server, health):
        s.until(lambda: b.server("o", server)["health"] == health,
                f"{server} is {health}")

    for n in origins:
        wait(n, "up")
    s.equal(asked(), {"p1": 20, "p2": 20}, "who answers")
    s.equal(b.pool("o")["backups"], False, "backups serve")
    origins["p1"].down()
    wait("p1", "down")
    s.equal(asked(), {"p2": 40}, "p1 is down")
    b.braidctl("drain", "o", "p2")
    s.equal(asked(), {"b1": 20, "b2": 20}, "p2 is drained: both backups")
    s.equal(b.pool("o")["backups"], True, "backups serve")
    s.equal(b.metrics().value("braid_pool_backups_serve", pool="o"), 1,
            "in the metrics")
    s.equal(b.server("o", "b1")["backup"], True, "b1 is a backup")
    origins["b2"].down()
    wait("b2", "down")
    s.equal(asked(), {"b1": 40}, "b2 is down")
    origins["p1"].up()
    wait("p1", "up")
    s.equal(asked(), {"p1": 40}, "p1 is back")

    s.say("-- full is not away")
    first = client.connect(("127.0.0.1", full))
    s.equal(client.read_exactly(first, 1), b"x", "the one slot is taken by")
    second = client.connect(("127.0.0.1", full))
    s.until(lambda: b.pool("f")["queued"] == 1, "the second waits")
    s.equal(spare.accepted, 0, "connections of the backup")
    first.close()
    s.equal(client.read_exactly(second, 1), b"x", "it is served by")
    second.close()
    b.stop()


scenario.run(test, user="nobody")
