#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter


def test(s):
    """Servers come, go and change weight by reload: no new work for a removed
    one, whose flows stay; an override of the weight ends only when that key
    changes; drain, health and counters survive."""
    origins = {n: Origin(s, greeter(n)) for n in "abc"}
    port = s.port()
    servers = {n: {"address": origins[n].text, "weight": 1} for n in "ab"}
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"balance": "rr", "servers": servers,
                        "health": {"interval": "100ms"}}},
    }
    b = Braid(s, config)

    def opened():
        sock = client.connect(("127.0.0.1", port))
        return sock, client.read_exactly(sock, 1).decode()

    def who(n=30):
        found = {}
        for _ in range(n):
            sock, text = opened()
            sock.close()
            found[text] = found.get(text, 0) + 1
        return found

    held = dict(reversed(opened()) for _ in range(8))
    s.equal(set(held), {"a", "b"}, "held flows are at")
    for n in "ab":
        s.until(lambda: b.server("o", n)["health"] == "up", f"{n} is up")

    s.say("-- b is removed, c is added")
    counted = b.server("o", "a")["flows"]
    servers["c"] = {"address": origins["c"].text}
    removed = servers.pop("b")
    b.reload(config)
    s.equal(set(who()), {"a", "c"}, "new connections go to")
    s.check(client.echoes(held["b"]), "b's flow stays")
    s.check(b.server("o", "a")["flows"] > counted, "a goes on counting")
    s.equal(b.server("o", "a")["health"], "up", "health of a, at once")

    s.say("-- the weight changes")
    servers["a"]["weight"] = 4
    b.reload(config)
    found = who(50)
    s.check(abs(found["a"] - 40) <= 8, f"4:1 is followed: {found}")

    s.say("-- overrides")
    b.ctl("weight", "o", "a", 0)
    b.ctl("drain", "o", "c")
    s.equal(b.server("o", "a")["weight"], 0, "weight of a")
    servers["b"] = removed
    b.reload(config)
    row = b.server("o", "a")
    s.equal((row["weight"], row["weight_overridden"],
             row["weight_configured"]), (0, True, 4),
            "a's override stays when another key changes")
    s.equal(b.server("o", "c")["admin"], "drain", "and so does c's drain")
    s.equal(set(who()), {"b"}, "new connections go to")
    servers["b"]["weight"] = 2
    b.reload(config)
    s.equal(b.server("o", "a")["weight_overridden"], True,
            "still when another server's weight changes")
    servers["a"]["weight"] = 3
    b.reload(config)
    row = b.server("o", "a")
    s.equal((row["weight"], row["weight_overridden"]), (3, False),
            "it ends when that key changes")
    b.wait_event("server weight override ended", pool="o", server="a")
    s.equal(b.server("o", "c")["admin"], "drain", "the drain stays")
    b.ctl("ready", "o", "c")
    s.equal(set(who()), {"a", "b", "c"}, "at the end all get work")

    s.say("-- a pool is renamed, a server gets another address")
    servers["a"]["address"] = origins["c"].text
    servers.pop("c")
    config["pools"] = {"renamed": config["pools"]["o"]}
    config["listeners"]["web"]["pool"] = "renamed"
    b.reload(config)
    s.equal(set(who()), {"b", "c"}, "servers that answer")
    s.check(all(client.echoes(sock) for sock in held.values()),
            "the first flows of all work")
    for sock in held.values():
        sock.close()
    b.idle()
    # Checks come and go.
    s.until(lambda: sum(o.n_open for o in origins.values()) == 0,
            "no connection at the servers")
    b.stop()


scenario.run(test, user="nobody")
