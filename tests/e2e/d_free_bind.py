#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.netns import Namespace

LATE = ("192.0.2.10", "2001:db8::10")


def test(s):
    """Addresses that no interface has: an error, unless dns.free_bind is on.
    Then they are answered as soon as they are there, also by sockets of a
    reload and of an upgrade, and after they have gone and come again."""
    space = Namespace(s)
    port = s.port()

    def config(free, addresses):
        return {"dns": {
            "free_bind": free,
            "bind": [f"{'[' + a + ']' if ':' in a else a}:{port}"
                     for a in addresses],
            "rrl": {"rate": "1000/s"},
            "zones": {"example.org": {"records": [
                "@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
                "ns1 A 192.0.2.53"]}}}}

    def move(verb, address):
        nodad = ["nodad"] if ":" in address and verb == "add" else []
        space.ip("address", verb, f"{address}/{128 if ':' in address else 32}",
                 "dev", "lo", *nodad)

    def answered(address, what):
        for tcp in (False, True):
            answer = space.inside(
                lambda: ask((address, port), "ns1.example.org", tcp=tcp))
            s.equal(answer.data("A"), ["192.0.2.53"],
                    f"{what}: {address} over {'TCP' if tcp else 'UDP'}")

    for address in LATE:
        b = Braid(s, config("off", [address]), namespace=space, wait=False)
        s.check(b.exit_code() != 0, f"{address} is on no interface: refused")
        s.check("no interface of this host has that address"
                in b.process.output(), "and it says why")
    b = Braid(s, config("on", LATE[:1]), namespace=space)
    b.reload(config("on", LATE))
    for address in LATE:
        move("add", address)
        answered(address, "it has come")
    b.upgrade()
    for address in LATE:
        answered(address, "after an upgrade")
        move("del", address)
        move("add", address)
        answered(address, "gone and here again")
    b.stop()


scenario.run(test)
