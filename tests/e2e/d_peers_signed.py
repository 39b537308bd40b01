#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import rich_zone, scenario
from lib.braidd import Braid
from lib.peers import PEERS, check, has_no_room, start_all
from lib.rich_zone import APEX


def known(one):
    """Which row of docs/dns-differences.md it is."""
    if one.type == "NSEC" and one.fact == "authority":
        return "NSEC of a wildcard"
    if has_no_room(one):
        return "room for an extended error"
    return None


def sign(s):
    """The zone as dnssec-signzone signs it, with one key."""
    folder = s.make_folder("keys")
    s.run(["dnssec-keygen", "-q", "-K", folder, "-a", "ECDSAP256SHA256",
           "-f", "KSK", APEX])
    zone, signed = s.write("rich.zone", rich_zone.TEXT), s.path("signed.zone")
    s.run(["dnssec-signzone", "-S", "-z", "-q", "-P", "-K", folder, "-o",
           APEX, "-d", folder, "-f", signed, zone])
    return signed


def test(s):
    """Knot, NSD and braidd serve the same zone, signed by somebody else:
    the same signatures and proofs, whatever is asked."""
    s.need("dnssec-keygen", "dnssec-signzone",
           *(program for program, _, _ in PEERS.values()))
    zone = sign(s)
    port = s.port()
    b = Braid(s, {"dns": {"bind": f"127.0.0.1:{port}",
                          "tcp": {"idle": "10m"},
                          "zones": {APEX: {"file": zone}}}})
    check(s, start_all(s, zone, ("127.0.0.1", port)), known)
    b.stop()


scenario.run(test)
