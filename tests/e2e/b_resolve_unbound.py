#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.dns import SERVFAIL, Dns, Unbound
from lib.origins import Origin, greeter

SERVICE = "_web._tcp.test"


def test(s):
    """unbound between Braid and who knows: A, AAAA and SRV, changes after
    their TTL, NXDOMAIN, SERVFAIL, unbound stopped and started again: what is
    known stays, other servers are not touched, flows live."""
    dns = Dns(s)
    port, common = s.port(), s.port()
    hosts = {"a1": "127.0.0.2", "a2": "127.0.0.3", "six": "::1",
             "s1": "127.0.0.4", "s2": "127.0.0.5", "plain": "127.0.0.6"}
    # SRV says ports: s1 and s2 have their own.
    origins = {n: Origin(s, greeter(f"{n:5}"),
                         (h, s.port() if n in ("s1", "s2") else common))
               for n, h in hosts.items()}
    dns.set("four.test", "A", hosts["a1"])
    dns.set("six.test", "AAAA", hosts["six"])

    def service(**weights):
        dns.set(SERVICE, "SRV", *((1, w, origins[n].address[1], f"{n}.test")
                                  for n, w in weights.items()))
    for n in ("s1", "s2"):
        dns.set(f"{n}.test", "A", hosts[n])
    service(s1=3)
    resolver = Unbound(s, dns)
    b = Braid(s, {
        "global": {"resolvers": [resolver.text],
                   "resolve": {"hold": "10m", "timeout": "10s"}},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"balance": "rr", "servers": {
            "four": {"address": f"four.test:{common}"},
            "six": {"address": f"six.test:{common}"},
            "srv": {"address": f"srv:{SERVICE}"},
            "plain": {"address": origins["plain"].text}}}},
    })

    def rows():
        return {r["address"]: r for r in b.ctl("servers")["servers"]}

    def opened():
        sock = client.connect(("127.0.0.1", port))
        return sock, client.read_exactly(sock, 5).decode().strip()

    def served(n=40):
        found = set()
        for _ in range(n):
            sock, name = opened()
            sock.close()
            found.add(name)
        return found

    def becomes(what, *names):
        s.until(lambda: set(rows()) == {origins[n].text for n in names} and
                b.adopted(), f"{what}: the addresses are those of {names}", 60)
        s.equal(served(), set(names), "who serves")
        s.check(all(client.echoes(sock) for sock, _ in held), "flows go on")

    def untouched():
        s.until(lambda: b.status()["flows"]["open"] == len(held),
                "only the held flows are open")
        row = rows()[origins["plain"].text]
        return row["flows"], row["connections"], row["health"]

    def failing():
        return {n["name"] for n in b.ctl("names")["names"] if n["failing"]}

    held = []
    becomes("at first", "a1", "six", "s1", "plain")
    without = len(b.events("server has no address"))  # had DNS been slow
    held += [opened() for _ in range(24)]
    s.equal({name for _, name in held}, {"a1", "six", "s1", "plain"},
            "flows are held at")
    s.equal((rows()[origins["s1"].text]["weight_configured"],
             rows()[origins["s1"].text]["host"]), (3, "s1.test"),
            "weight and host of the SRV record")

    s.say("-- changes")
    before = untouched()
    dns.set("four.test", "A", hosts["a2"])
    service(s1=3, s2=1)
    s.until(lambda: len(rows()) == 5 and origins["a2"].text in rows(),
            "the changes arrive", 60)
    s.equal(untouched(), before, "the plain server has nothing of it")
    becomes("changed", "a2", "six", "s1", "s2", "plain")
    service(s2=1)
    becomes("one less", "a2", "six", "s2", "plain")

    s.say("-- NXDOMAIN")
    dns.forget("six.test")
    b.wait_event("name not resolved", name="six.test", type="AAAA",
                 cause="nxdomain", seconds=60)
    becomes("held", "a2", "six", "s2", "plain")
    s.until(lambda: failing() == {"six.test"}, "it is shown as failing")
    dns.set("six.test", "AAAA", hosts["six"])
    s.until(lambda: not failing(), "found again", 60)

    s.say("-- SERVFAIL")
    dns.rcode = SERVFAIL
    s.until(lambda: {"four.test", "six.test", "s2.test", SERVICE} <=
            failing(), "all of them fail", 60)
    becomes("held", "a2", "six", "s2", "plain")
    dns.rcode = None
    s.until(lambda: not failing(), "all are found again", 60)

    s.say("-- unbound is gone")
    resolver.kill()
    s.until(lambda: {"four.test", "six.test", "s2.test", SERVICE} <=
            failing(), "all of them fail", 60)
    before = untouched()
    dns.set("four.test", "A", hosts["a1"], hosts["a2"])
    service(s1=1, s2=1)
    s.equal(untouched(), before, "the plain server has nothing of it")
    becomes("held", "a2", "six", "s2", "plain")
    resolver.start()
    becomes("back, with news", "a1", "a2", "six", "s1", "s2", "plain")
    s.until(lambda: not failing(), "none fails", 60)
    s.until(lambda: {"four.test", "six.test", SERVICE} <=
            {e["name"] for e in b.events("name resolved again")},
            "the log says what is back")
    s.equal(len(b.events("server has no address")), without,
            "times that a server had no address")
    for sock, _ in held:
        sock.close()
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
