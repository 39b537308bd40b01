#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name, reset


def resets(sock, _number):
    """Reads something and resets without an answer."""
    sock.recv(100)
    reset(sock)


def flaky(sock, number):
    """Four times without an answer, then one."""
    if number % 5 < 4:
        resets(sock, number)
    else:
        name("flaky")(sock, number)


def test(s):
    """Servers that fail connections in a row are ejected, at most the share
    allowed, for longer each time; they come back by time, by the operator, or
    when the block leaves the file."""
    good, bad = Origin(s, name("good")), Origin(s, resets)
    worse = [Origin(s, resets) for _ in range(2)]
    maybe = [Origin(s, flaky) for _ in range(2)]
    dead = f"127.0.0.1:{s.port()}"
    ports = {n: s.port() for n in ("o", "dead", "both", "flaky")}
    outlier = {"errors": 5, "eject": "1h"}

    def pool(outlier, **addresses):
        return {"balance": "rr", "outlier": outlier,
                "servers": {n: {"address": a} for n, a in addresses.items()}}

    config = {
        "global": {"workers": 2},
        "listeners": {n: {"bind": f"127.0.0.1:{p}", "pool": n}
                      for n, p in ports.items()},
        "pools": {
            "o": pool(dict(outlier, eject="200ms"), good=good.text,
                      bad=bad.text),
            "dead": pool(outlier, good=good.text, dead=dead),
            "both": pool(outlier, a=worse[0].text, b=worse[1].text),
            "flaky": pool(outlier, a=maybe[0].text, b=maybe[1].text)},
    }
    b = Braid(s, config)

    def ask(listener):
        return client.ask(("127.0.0.1", ports[listener]), b"hello")

    def ask_until(listener, condition, what):
        def look():
            ask(listener)
            return condition()
        s.until(look, what)

    s.say("-- connects that fail: the client sees nothing of it")
    ask_until("dead", lambda: b.server("dead", "dead")["ejected"],
              "the dead server is ejected")
    row = b.server("dead", "dead")
    s.check(row["failures"] >= 5, f"after {row['failures']} failures")
    s.equal((row["weight"], row["ejections"], row["ejected_cause"]),
            (0, 1, "Connection refused"), "weight, ejections, cause")
    event = b.wait_event("server ejected", pool="dead", server="dead")
    s.equal((event["for"], event["cause"]),
            ("3600000ms", "Connection refused"), "in the log")
    m = b.metrics()
    s.equal((m.value("braid_server_ejected", pool="dead", server="dead"),
             m.value("braid_server_ejections_total", pool="dead",
                     server="dead"),
             m.value("braid_server_ejected", pool="dead", server="good")),
            (1, 1, 0), "in the metrics")
    text = str(b.braidctl("servers", "dead").stdout)
    s.check("ejected" in text, "in the table of braidctl")
    s.equal({ask("dead") for _ in range(20)}, {(b"good", client.FIN)},
            "answers now")
    s.equal(b.server("dead", "dead")["failures"], row["failures"],
            "nobody tries it any more")

    s.say("-- resets before an answer; back by time")
    ask_until("o", lambda: b.server("o", "bad")["ejections"] >= 1,
              "the resetting server is ejected")
    s.equal(b.wait_event("server ejected", pool="o", server="bad")["cause"],
            "Connection reset by peer", "cause")
    b.wait_event("server back after ejection", pool="o", server="bad",
                 cause="its time is over")
    ask_until("o", lambda: b.server("o", "bad")["ejections"] >= 2,
              "it fails again and is ejected again")
    bad.handler = name("mended")
    ask_until("o", lambda: ask("o")[0] == b"mended",
              "mended, it serves again")

    s.say("-- never more than half")
    ask_until("both", lambda: b.pool("both")["ejected"] == 1, "one is out")
    for _ in range(40):
        ask("both")
    rows = [b.server("both", n) for n in "ab"]
    s.equal(sorted(r["ejections"] for r in rows), [0, 1],
            "ejections, though both fail")
    s.equal(b.pool("both")["usable"], 1, "usable servers")

    s.say("-- an answer ends the row")
    for _ in range(60):
        ask("flaky")
    rows = [b.server("flaky", n) for n in "ab"]
    s.check(all(r["failures"] >= 20 for r in rows), "both failed often")

    s.say("-- the operator, and the file")
    b.braidctl("ready", "dead", "dead")
    b.wait_event("server back after ejection", pool="dead", cause="operator")
    s.equal(b.server("dead", "dead")["ejected"], False, "ejected")
    ask_until("dead", lambda: b.server("dead", "dead")["ejected"],
              "it is ejected again")
    b.wait_event("server ejected", pool="dead", **{"for": "7200000ms"})
    s.equal([b.server("flaky", n)["ejections"] for n in "ab"], [0, 0],
            "ejections of the flaky ones")
    del config["pools"]["dead"]["outlier"]
    b.reload(config)
    b.wait_event("server back after ejection", pool="dead",
                 cause="no outlier block any more")
    s.equal(b.server("dead", "dead")["weight"], 1, "its weight")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
