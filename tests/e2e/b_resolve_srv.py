#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.dns import Dns
from lib.origins import Origin, greeter

SERVICE = "_web._tcp.test"


def test(s):
    """SRV records say hosts, ports and weights; the lowest priority serves,
    the others are backups; changes of weight and priority are followed."""
    dns = Dns(s)
    dns.truncate = True  # all of it over TCP
    port = s.port()
    origins = {n: Origin(s, greeter(n), (f"127.0.0.{2 + i}", s.port()))
               for i, n in enumerate("abc")}
    for name, origin in origins.items():
        dns.set(f"{name}.test", "A", origin.address[0])

    def records(**wanted):
        dns.set(SERVICE, "SRV", *(
            (priority, weight, origins[n].address[1], f"{n}.test")
            for n, (priority, weight) in wanted.items()))

    records(a=(10, 3), b=(10, 1), c=(20, 5))
    config = {
        "global": {"resolvers": [dns.text], "resolve": {"timeout": "10s"}},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"balance": "rr", "servers": {
            "web": {"address": f"srv:{SERVICE}", "weight": 2}}}},
    }
    b = Braid(s, config)

    def rows():
        return {r["host"]: r for r in b.ctl("servers")["servers"]}

    def facts():
        return {host: (r["weight_configured"], r["backup"])
                for host, r in rows().items()}

    def served(n=40):
        found = {}
        for _ in range(n):
            sock = client.connect(("127.0.0.1", port))
            text = client.read_exactly(sock, 1).decode()
            found[text] = found.get(text, 0) + 1
            sock.close()
        return found

    s.until(lambda: facts() == {"a.test": (6, False), "b.test": (2, False),
                                "c.test": (5 * 2, True)} and b.adopted(),
            "weights times the server's own, backups")
    s.check(dns.over_tcp >= 3, "truncated answers were asked for over TCP")
    s.equal({h: r["address"] for h, r in rows().items()},
            {f"{n}.test": o.text for n, o in origins.items()}, "ports")
    found = served()
    s.equal(set(found), {"a", "b"}, "who serves")
    s.check(found["a"] > found["b"], f"by weight: {found}")

    s.say("-- the weights and the priorities change")
    records(a=(10, 0), b=(10, 1), c=(10, 2))
    s.until(lambda: facts() == {"a.test": (2, False), "b.test": (200, False),
                                "c.test": (400, False)},
            "weight 0 is a very small share beside others")
    records(a=(10, 0), b=(20, 1), c=(30, 1))
    s.until(lambda: facts() == {"a.test": (2, False), "b.test": (2, True),
                                "c.test": (2, True)} and b.adopted(),
            "two are backups now")
    s.equal(set(served()), {"a"}, "who serves")

    s.say("-- the primary's host has no address any more")
    dns.forget("a.test")
    b.wait_event("name not resolved", name="a.test", type="A",
                 cause="nxdomain", seconds=30)
    s.equal(set(served()), {"a"}, "what is known is held")
    origins["a"].down()
    config["global"]["resolve"]["hold"] = "0s"
    b.reload(config)
    s.until(lambda: "a.test" not in rows() and b.adopted(),
            "and given up after hold")
    s.equal(set(served()), {"b"}, "the next priority serves")
    b.wait_event("records of a name given up", name="a.test")

    s.say("-- the service is gone: not offered, and then no such name")
    dns.set(SERVICE, "SRV", (0, 0, 1, "."))
    s.until(lambda: b.server("o", "web")["address"] == "-" and b.adopted(),
            "no server has an address")
    s.equal(client.ask(("127.0.0.1", port)), (b"", client.RESET),
            "a connection then")
    s.equal(b.wait_flows(1, end="SC")[0]["server"], "-", "its server")
    records(c=(1, 1))
    s.until(lambda: set(facts()) == {"c.test"} and b.adopted(),
            "it is offered again", 40)
    s.equal(set(served()), {"c"}, "who serves")
    s.until(lambda: {(n["name"], n["type"])
                     for n in b.ctl("names")["names"]} ==
            {(SERVICE, "SRV"), ("c.test", "A"), ("c.test", "AAAA")},
            "hosts that no record names are not asked for any more")
    b.stop()


scenario.run(test)
