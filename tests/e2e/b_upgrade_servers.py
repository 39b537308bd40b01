#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name, reset


def resets(sock, _number):
    sock.recv(100)
    reset(sock)


def test(s):
    """What was found out about servers outlives an upgrade: an ejection and
    how long the next one lasts, a slow start half-way, and a server that is
    down gets nothing until its checks succeed `rise` times."""
    good, bad = Origin(s, name("g")), Origin(s, resets)
    slow = {n: Origin(s, name(n)) for n in "ab"}
    ports = {n: s.port() for n in ("eject", "slow")}
    check = {"interval": "50ms", "rise": 1, "fall": 2}
    config = {
        "listeners": {n: {"bind": f"127.0.0.1:{p}", "pool": n}
                      for n, p in ports.items()},
        "pools": {
            "eject": {"balance": "rr",
                      "outlier": {"errors": 5, "eject": "1h"},
                      "servers": {"good": {"address": good.text},
                                  "bad": {"address": bad.text}}},
            "slow": {"balance": "rr", "slow_start": "1h", "health": check,
                     "servers": {n: {"address": o.text}
                                 for n, o in slow.items()}}},
    }
    b = Braid(s, config)

    def ask(listener):
        return client.ask(("127.0.0.1", ports[listener]), b"x")[0][:1]

    def eject(times):
        def ejected():
            ask("eject")
            return b.server("eject", "bad")["ejected"]
        s.until(ejected, f"the bad server is ejected ({times})")

    def facts():
        row = b.server("eject", "bad")
        return (row["ejected"], row["weight"], row["ejected_cause"])

    def counted():
        return b.metrics().value("braid_server_ejections_total",
                                 pool="eject", server="bad")

    eject("once")
    out = (True, 0, "Connection reset by peer")
    s.equal(facts(), out, "before")
    s.until(lambda: b.server("slow", "a")["health"] == "up", "a is checked")
    slow["a"].down()
    s.until(lambda: b.server("slow", "a")["health"] == "down", "a is down")
    slow["a"].up()
    s.until(lambda: b.server("slow", "a")["health"] == "up", "a is back")

    s.say("-- over an upgrade")
    b.upgrade()
    s.equal(facts(), out, "ejected, weight, cause")
    s.check(3000 < b.server("eject", "bad")["ejected_for_seconds"] < 3600,
            "for the rest of the hour")
    s.equal({ask("eject") for _ in range(20)}, {b"g"}, "who answers")
    s.until(lambda: counted() == 1, "braid_server_ejections_total is 1")
    percent = b.server("slow", "a")["slow_start_percent"]
    s.check(10 <= percent < 20, f"slow start goes on at {percent} percent")

    s.say("-- the next one lasts longer")
    b.ctl("ready", "eject", "bad")
    b.wait_event("server back after ejection", cause="operator")
    eject("again")
    b.wait_event("server ejected", **{"for": "7200000ms"})
    s.until(lambda: counted() == 2, "braid_server_ejections_total is 2")

    s.say("-- a pool that ejects no more")
    del config["pools"]["eject"]["outlier"]
    b.write_config(config)
    b.upgrade()
    b.wait_event("server back after ejection",
                 cause="no outlier block any more")
    s.until(lambda: b.server("eject", "bad")["weight"] == 1, "its weight is 1")

    s.say("-- down, when only a check in half an hour would say so")
    dead = slow["b"]
    dead.down()
    s.until(lambda: b.server("slow", "b")["health"] == "down", "b is down")
    check["interval"] = "30m"
    b.write_config(config)
    b.upgrade()
    s.equal(b.server("slow", "b")["health"], "down", "health of b")
    s.equal({ask("slow") for _ in range(10)}, {b"a"}, "who answers")
    b.stop()


scenario.run(test)
