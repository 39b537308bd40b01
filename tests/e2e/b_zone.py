#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter, name


def test(s):
    """The own zone gets all while 72 % of it is usable, then its share falls
    in proportion; full servers and failed connects go to the other zones."""
    origins = {n: Origin(s, name(n)) for n in ("n1", "n2", "n3", "n4", "f1")}
    near, far = Origin(s, greeter("n")), Origin(s, greeter("f"))
    dead = f"127.0.0.1:{s.port()}"
    port, full, broken = s.port(), s.port(), s.port()
    zone = {"n": "here", "f": "there"}
    config = {
        "global": {"workers": 1, "zone": "here"},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"},
                      "full": {"bind": f"127.0.0.1:{full}", "pool": "full"},
                      "dead": {"bind": f"127.0.0.1:{broken}",
                               "pool": "dead"}},
        "pools": {
            "o": {"balance": "rr", "servers": {
                n: {"address": o.text, "zone": zone[n[0]]}
                for n, o in origins.items()}},
            "full": {"servers": {
                "n": {"address": near.text, "zone": "here",
                      "max_connections": 1},
                "f": {"address": far.text, "zone": "there"}}},
            "dead": {"servers": {
                "n": {"address": dead, "zone": "here"},
                "f": {"address": origins["f1"].text, "zone": "there"}}}},
    }
    b = Braid(s, config)

    def asked(n=100):
        counts = client.names(("127.0.0.1", port), n)
        return {k: counts.get(k, 0) for k in origins if k in counts}

    s.equal(asked(), {n: 25 for n in ("n1", "n2", "n3", "n4")},
            "all near ones are there")
    s.equal(b.server("o", "n1")["zone"], "here", "zone in braidctl")
    b.braidctl("drain", "o", "n1")
    s.equal(set(asked()), {"n2", "n3", "n4"}, "three of four are enough")
    s.equal(b.pool("o")["local_percent"], 100, "share of the own zone")
    b.braidctl("drain", "o", "n2")
    counts = asked(200)
    s.check(abs(counts["f1"] - 60) <= 2,
            f"half are away: 30 % go elsewhere: {counts}")
    s.check(abs(counts["n3"] - counts["n4"]) <= 2, "the rest is shared")
    s.equal(b.pool("o")["local_percent"], 70, "share of the own zone")
    value = b.metrics().value("braid_pool_local_share_ratio", pool="o")
    s.check(abs(value - 0.7) < 1e-6, f"in the metrics: {value}")
    for n in ("n3", "n4"):
        b.braidctl("drain", "o", n)
    s.equal(asked(20), {"f1": 20}, "all are away")

    s.say("-- full, and dead")
    first = client.connect(("127.0.0.1", full))
    s.equal(client.read_exactly(first, 1), b"n", "the near slot is taken")
    second = client.connect(("127.0.0.1", full))
    s.equal(client.read_exactly(second, 1), b"f", "the next one goes far")
    first.close()
    second.close()
    s.equal(client.names(("127.0.0.1", broken), 10), {"f1": 10},
            "a dead near server: the far one answers")

    s.say("-- Braid moves to another zone")
    config["global"]["zone"] = "there"
    b.reload(config)
    s.equal(asked(20), {"f1": 20}, "now f1 is near")
    for n in ("n1", "n2", "n3", "n4"):
        b.braidctl("ready", "o", n)
    s.equal(asked(20), {"f1": 20}, "the others are no longer asked")
    del config["global"]["zone"]
    b.reload(config)
    s.equal(asked(), {n: 20 for n in origins}, "without a zone: all alike")
    b.stop()


scenario.run(test, user="nobody")
