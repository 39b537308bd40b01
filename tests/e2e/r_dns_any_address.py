#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.netns import Namespace

OWN = ("192.0.2.10", "192.0.2.11", "2001:db8::10", "2001:db8::11")
ROUTED = ("203.0.113.7", "2001:db8:a::7")


def test(s):
    """Sockets for all addresses answer from the one that was asked: of several,
    and of networks that are local by a route alone, as anycast ones may be,
    which no interface has."""
    space = Namespace(s)
    for address in OWN:
        flags = ["nodad"] if ":" in address else []
        space.ip("address", "add", address, "dev", "lo", *flags)
    space.ip("route", "add", "local", "203.0.113.0/24", "dev", "lo")
    space.ip("-6", "route", "add", "local", "2001:db8:a::/64", "dev", "lo")
    port = s.port()
    b = Braid(s, {"dns": {
        "bind": [f"0.0.0.0:{port}", f"[::]:{port}"], "zones": {
            "example.org": {"records": [
                "@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
                "ns1 A 192.0.2.53"]}}}}, namespace=space)
    for address in OWN + ROUTED:
        for tcp in (False, True):
            # Its sockets are connected: from elsewhere nothing is heard.
            answer = space.inside(
                lambda: ask((address, port), "ns1.example.org", tcp=tcp))
            s.equal(answer.data("A"), ["192.0.2.53"],
                    f"{address} over {'TCP' if tcp else 'UDP'}")
    b.stop()


scenario.run(test)
