#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter


def test(s):
    """What was set and found out at run time outlives upgrades: weight, drain,
    maintenance, health, log level; counters never go back, while old
    generations live and after they have ended, also with other workers and
    servers than before."""
    origins = {n: Origin(s, greeter(n)) for n in "abc"}
    dead = f"127.0.0.1:{s.port()}"
    port, moved = s.port(), s.port()

    def config(workers=2, weight=1, names="abcd"):
        addresses = {n: o.text for n, o in origins.items()}
        addresses["d"] = dead
        return {
            "global": {"workers": workers},
            "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
            "pools": {"o": {
                "balance": "rr",
                "servers": {n: {"address": addresses[n], "weight": weight}
                            for n in names},
                "health": {"interval": "30s", "rise": 2, "fall": 2}}},
        }

    b = Braid(s, config())
    here = ("127.0.0.1", port)

    def opened():
        sock = client.connect(here)
        return client.read_exactly(sock, 1).decode(), sock

    def who(n=12):
        found = set()
        for _ in range(n):
            text, sock = opened()
            sock.close()
            found.add(text)
        return found

    def counters():
        m = b.metrics()
        return {key: value for key, value in m.samples.items()
                if key[0].endswith(("_total", "_count", "_bucket", "_sum"))}

    def not_back(before, what):
        now = counters()
        back = {k: (v, now.get(k)) for k, v in before.items()
                if now.get(k, -1) < v}
        s.equal(back, {}, f"{what}: counters that went back")
        return now

    s.until(lambda: b.server("o", "d")["health"] == "down" and
            all(b.server("o", n)["health"] == "up" for n in "abc"),
            "all are checked")
    b.ctl("drain", "o", "b")
    b.ctl("maint", "o", "c")
    b.ctl("weight", "o", "a", 7)
    b.ctl("log-level", "debug")
    s.equal(who(), {"a"}, "who answers")
    held = [opened()[1] for _ in range(6)]

    s.say("-- over an upgrade")
    before = counters()
    b.upgrade()
    s.equal({n: b.server("o", n)["admin"] for n in "abc"},
            {"a": "ready", "b": "drain", "c": "maint"}, "states")
    row = b.server("o", "a")
    s.equal((row["weight"], row["weight_overridden"]), (7, True), "weight")
    s.equal({n: b.server("o", n)["health"] for n in "abd"},
            {"a": "up", "b": "up", "d": "down"},
            "health before the first check of the new process")
    s.check(b.server("o", "d")["cause"] != "", "the cause is known still")
    s.equal(who(), {"a"}, "who answers")
    b.wait_event("server weight set")
    s.equal(b.events("plan published"), [], "nothing was set anew")
    before = not_back(before, "two live")
    flows = ("braid_server_flows_total",)
    s.say(f"-- {flows[0]} counts on")
    # The last accepts may have been the old one's, which writes its counters
    # once a second.
    s.until(lambda: b.metrics().value(flows[0], pool="o", server="a") ==
            12 + 6 + 12, "flows of a over both generations")

    s.say("-- the old one ends")
    first = b.process.pid
    for sock in held:
        sock.close()
    b.wait_gone(first)
    s.until(lambda: b.metrics().value("braid_generations") == 1,
            "one generation is left")
    before = not_back(before, "one dead")
    s.until(lambda: b.metrics().value("braid_connections") == 0,
            "no connection is counted")
    s.until(lambda: b.metrics().value("braid_listener_closed_total",
                                      listener="web") == 12 + 6 + 12,
            "flows ended over both")

    s.say("-- fewer workers, a server less, another weight in the file")
    b.write_config(config(workers=1, weight=2, names="abc"))
    b.upgrade()
    s.equal(b.status()["workers"], 1, "workers")
    row = b.server("o", "a")
    s.equal((row["weight"], row["weight_overridden"]), (2, False),
            "the override ended with the new weight in the file")
    s.equal(b.server("o", "b")["admin"], "drain", "b")
    s.equal(who(40), {"a"}, "no socket of the second worker is lost")
    before = not_back(before, "fewer workers and servers")

    s.say("-- more workers again, another generation")
    b.write_config(config(workers=3, weight=2, names="abc"))
    b.ctl("ready", "o", "b")
    b.upgrade()
    s.equal(b.status()["workers"], 3, "workers")
    s.equal(who(40), {"a", "b"}, "who answers")
    before = not_back(before, "more workers")
    b.wait_gone(b.pids[0])
    b.wait_gone(b.pids[1])
    s.until(lambda: len(b.status()["generations"]) == 1, "one is left")
    not_back(before, "after all have ended")

    s.say("-- another port: the old one is emptied and closed")
    late = config(workers=3, weight=2, names="abc")
    late["listeners"]["web"]["bind"] = f"127.0.0.1:{moved}"
    b.write_config(late)
    b.upgrade()
    here = ("127.0.0.1", moved)
    s.equal(who(4), {"a", "b"}, "who answers at the new port")
    s.until(lambda: refused(port), "the old port is closed")
    b.stop()


def refused(port):
    try:
        client.connect(("127.0.0.1", port)).close()
        return False
    except ConnectionRefusedError:
        return True


scenario.run(test)
