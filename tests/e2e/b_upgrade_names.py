#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.dns import Dns, NXDOMAIN
from lib.origins import Origin, greeter

NAME, SERVICE = "origin.test", "_web._tcp.test"


def test(s):
    """An upgrade while no resolver answers: what the old process knew of the
    names of servers, hosts and services, serves in the new one at once, and
    the one after it; it is asked again, and holds on as it would have."""
    dns = Dns(s)
    origins = [Origin(s, greeter(n), (f"127.0.0.{i}", s.port()))
               for i, n in ((2, "a"), (3, "b"), (4, "c"))]
    ports = [o.address[1] for o in origins]
    dns.ttl = 3600
    dns.set(NAME, "A", "127.0.0.2")
    dns.set("b.test", "A", "127.0.0.3")
    dns.set("c.test", "A", "127.0.0.4")
    dns.set(SERVICE, "SRV", (10, 3, ports[1], "b.test"),
            (20, 1, ports[2], "c.test"))
    web, service = s.port(), s.port()

    def config(extra):
        servers = {"a": {"address": f"{NAME}:{ports[0]}"}}
        if extra:
            servers["new"] = {"address": f"new.test:{ports[0]}"}
        return {
            "global": {"resolvers": [dns.text],
                       "resolve": {"timeout": "5s", "retries": 1,
                                   "hold": "0s"}},
            "listeners": {
                "web": {"bind": f"127.0.0.1:{web}", "pool": "o"},
                "service": {"bind": f"127.0.0.1:{service}", "pool": "v"}},
            "pools": {
                "o": {"resolve": {"family": "ipv4"}, "servers": servers},
                "v": {"resolve": {"family": "ipv4"}, "servers": {
                    "s": {"address": f"srv:{SERVICE}", "weight": 2}}}},
        }

    b = Braid(s, config(False))

    def greets(port):
        with client.connect(("127.0.0.1", port)) as sock:
            return client.read_exactly(sock, 1).decode()

    def serve(what):
        s.equal((greets(web), greets(service)), ("a", "b"),
                f"who serves {what}")

    def rows():
        return {(r["server"], r["host"]):
                (r["address"], r["weight_configured"], r["backup"])
                for pool in "ov" for r in b.ctl("servers", pool)["servers"]}

    def names():
        return {(n["name"], n["type"]): n for n in b.ctl("names")["names"]}

    serve("at first")
    before = rows()
    s.equal(len(before), 3, f"servers: {before}")
    b.ctl("weight", "o", "a", 7)

    s.say("-- the resolver is dead")
    dns.down()
    s.check(b.upgrade()["pid"], "an upgrade")
    serve("at once after an upgrade")
    s.equal(rows(), before, "addresses, ports, weights, backups")
    s.equal(b.server("o", "a")["weight"], 7, "the weight set for it")
    s.equal(b.events("server has no address"), [], "servers without address")
    s.until(lambda: all(n["failing"] for n in names().values()),
            "all names are asked again")
    s.check(all(n["answered_since_seconds"] is not None
                for n in names().values()), "it knows when it was answered")
    b.upgrade()
    serve("after another upgrade")
    s.equal(rows(), before, "addresses")

    s.say("-- with a name that nobody has asked for")
    b.write_config(config(True))
    b.upgrade()
    serve("beside a name that is not known")
    s.equal(b.server("o", "new")["address"], "-", "the new name's address")

    s.say("-- it is back, and has news")
    dns.set(NAME, "A", "127.0.0.9")
    Origin(s, greeter("d"), ("127.0.0.9", ports[0]))
    dns.up()
    s.until(lambda: b.server("o", "a")["address"].startswith("127.0.0.9"),
            "the new address", 60)
    s.equal(greets(web), "d", "who serves")

    s.say("-- what it says then holds as ever")
    dns.rcode = NXDOMAIN
    b.upgrade()
    s.until(lambda: b.server("o", "a")["address"] == "-",
            "without hold it is given up", 60)
    b.stop()


scenario.run(test)
