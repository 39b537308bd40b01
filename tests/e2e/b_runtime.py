#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter


def test(s):
    """Weight, drain and maintenance by braidctl: live flows stay, new ones
    follow, maintenance stops the checks, and all of it survives a reload."""
    origins = {n: Origin(s, greeter(n)) for n in "ab"}
    port = s.port()
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"balance": "rr",
                        "servers": {n: {"address": o.text}
                                    for n, o in origins.items()},
                        "health": {"interval": "50ms"}}},
    }
    b = Braid(s, config)

    def opened():
        sock = client.connect(("127.0.0.1", port))
        return client.read_exactly(sock, 1).decode(), sock

    def who(n=20):
        found = {}
        for _ in range(n):
            text, sock = opened()
            sock.close()
            found[text] = found.get(text, 0) + 1
        return found

    held = dict(opened() for _ in range(8))
    s.equal(set(held), {"a", "b"}, "held flows are at")

    s.say("-- weight")
    b.braidctl("weight", "o", "a", "3")
    found = who(40)
    s.check(abs(found["a"] - 30) <= 6, f"3:1 is followed: {found}")
    b.braidctl("weight", "o", "a", "0")
    s.equal(set(who()), {"b"}, "weight 0: who answers")
    b.reload(config)
    s.equal(set(who()), {"b"}, "also after a reload")
    b.braidctl("weight", "o", "a", "reset")
    row = b.server("o", "a")
    s.equal((row["weight"], row["weight_overridden"]), (1, False), "reset")
    s.equal(set(who()), {"a", "b"}, "who answers")
    b.wait_event("server weight set", pool="o", server="a", weight="3")
    b.wait_event("server weight reset", pool="o", server="a")

    s.say("-- drain")
    b.braidctl("drain", "o", "b")
    s.equal(set(who()), {"a"}, "who answers")
    s.check(client.echoes(held["b"]), "b's flow stays")
    b.reload(config)
    row = b.server("o", "b")
    s.equal((row["admin"], row["weight"]), ("drain", 0), "after a reload")
    checks = row["checks"]
    s.until(lambda: b.server("o", "b")["checks"] > checks + 2,
            "a drained server is still checked")
    s.equal(b.metrics().value("braid_server_ready", pool="o", server="b"), 0,
            "braid_server_ready")

    s.say("-- maintenance")
    b.braidctl("maint", "o", "b")
    s.equal(b.server("o", "b")["admin"], "maint", "state of b")
    checks = b.server("o", "b")["checks"]
    others = b.server("o", "a")["checks"]
    s.until(lambda: b.server("o", "a")["checks"] > others + 10,
            "a is checked ten times more")
    s.check(b.server("o", "b")["checks"] <= checks + 1,
            "checks of b have stopped")
    s.equal(set(who()), {"a"}, "who answers")
    s.check(client.echoes(held["b"]), "b's flow stays")

    s.say("-- all drained: nobody is left to ask")
    b.braidctl("drain", "o", "a")
    s.equal(client.ask(("127.0.0.1", port)), (b"", client.RESET),
            "a connection then (an operator's drain does not fail open)")
    s.equal(b.wait_flows(1, end="SC")[0]["server"], "-", "its server")

    s.say("-- ready")
    for n in "ab":
        b.braidctl("ready", "o", n)
        b.wait_event("server state set", pool="o", server=n, state="ready")
    s.until(lambda: set(who()) == {"a", "b"}, "both answer again")
    s.check(all(client.echoes(sock) for sock in held.values()),
            "the held flows were never touched")
    for sock in held.values():
        sock.close()
    b.idle()
    b.stop()


scenario.run(test, user="root")
