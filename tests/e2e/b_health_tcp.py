#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario, servers
from lib.braidd import Braid


def names(port, n):
    return {servers.curl(f"http://127.0.0.1:{port}/name").stdout
            for _ in range(n)}


def test(s):
    """A killed nginx is found down by tcp checks and gets nothing more; it
    comes back when it is back; with all down the pool fails open and says
    so."""
    s.need("curl", "nginx")
    origins = {n: servers.Nginx(s, n) for n in ("a", "b", "c")}
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {
            "balance": "rr",
            "servers": {n: {"address": o.text} for n, o in origins.items()},
            "connect": {"retries": 0},
            "health": {"type": "tcp", "interval": "100ms", "timeout": "2s",
                       "rise": 3, "fall": 2, "fail_open": "40%"}}},
    })
    s.until(lambda: all(b.server("o", n)["health"] == "up" for n in origins),
            "all are found up")
    s.equal(names(port, 9), {"a", "b", "c"}, "all answer")

    origins["a"].kill()
    b.wait_event("server down", pool="o", server="a")
    row = b.server("o", "a")
    s.equal((row["health"], row["weight"]), ("down", 0), "a is down")
    s.check(row["checks_failed"] >= 2, "after at least `fall` failed checks")
    s.check("refused" in row["cause"].lower(), f"cause: {row['cause']}")
    s.equal(names(port, 12), {"b", "c"}, "who answers now, without errors")
    s.equal(b.pool("o")["usable"], 2, "usable servers")
    m = b.metrics()
    s.equal(m.value("braid_server_up", pool="o", server="a"), 0,
            "braid_server_up of a")
    s.equal(m.value("braid_pool_servers_usable", pool="o"), 2,
            "braid_pool_servers_usable")
    checks = row["checks"]

    origins["a"].start()
    b.wait_event("server up", pool="o", server="a")
    row = b.server("o", "a")
    s.check(row["checks"] >= checks + 3, "it took at least `rise` checks")
    s.equal(names(port, 9), {"a", "b", "c"}, "all answer again")
    s.check(b.metrics().value("braid_server_health_changes_total", pool="o",
                              server="a") >= 2, "both changes were counted")

    for n in ("a", "b"):
        origins[n].kill()
    b.wait_event("too few servers are up: all are used", pool="o")
    row = b.pool("o")
    s.equal((row["fails_open"], row["usable"], row["down"]), (True, 1, 2),
            "33 % < 40 %: fails open, and only one is usable by itself")
    s.check("1/3 (failing open)" in b.braidctl("pools").stdout,
            "braidctl pools says so")
    m = b.metrics()
    s.equal((m.value("braid_pool_fail_open", pool="o"),
             m.value("braid_pool_servers_usable", pool="o")), (1, 1),
            "braid_pool_fail_open and braid_pool_servers_usable")
    s.equal(b.status()["pools_failing_open"], ["o"], "status says it")
    answers = [client.ask(("127.0.0.1", port), b"GET /name HTTP/1.0\r\n\r\n")
               for _ in range(6)]
    reached = sum(end == client.FIN for _, end in answers)
    s.check(0 < reached < 6,
            f"{reached} of 6 connections, not retried, reach the living one")
    for n in ("a", "b"):
        origins[n].start()
    b.wait_event("enough servers are up again", pool="o")
    s.until(lambda: b.pool("o")["usable"] == 3, "all three are back")
    s.equal(names(port, 9), {"a", "b", "c"}, "all answer again")
    b.stop()


scenario.run(test, user="nobody")
