#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.scenario import NAMELESS


def test(s):
    """Another key in the key file of a zone that has not changed: a reload
    signs with it, without it the zone is kept as it is."""
    server = ("127.0.0.1", s.port())
    key = s.path("zone.key")
    program = os.path.join(s.bin, "braidctl")

    def make_key():
        fresh = s.path("fresh.key")
        s.run([program, "dns", "key", "example.org", fresh])
        if s.is_root:
            os.chown(fresh, NAMELESS, NAMELESS)
        os.replace(fresh, key)

    def served():
        return ask(server, "example.org", "DNSKEY", tcp=True).data("DNSKEY")

    make_key()
    b = Braid(s, {"dns": {"bind": f"127.0.0.1:{server[1]}", "zones": {
        "example.org": {"dnssec": {"key": key}, "records": [
            "@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
            "ns1 A 192.0.2.53"]}}}})
    first = served()
    s.equal(len(first), 1, "one key")
    b.reload()
    s.equal(served(), first, "the same after a reload")
    make_key()
    said = b.reload()["summary"]
    s.check(served() != first, "the new key is served")
    s.check("example.org" in said, f"and the reload says so: {said}")
    b.stop()


scenario.run(test)
