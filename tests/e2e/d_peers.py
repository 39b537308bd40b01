#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import rich_zone, scenario
from lib.braidd import Braid
from lib.peers import PEERS, check, check_any, has_no_room, start_all
from lib.rich_zone import APEX


def known(one):
    """Which row of docs/dns-differences.md it is."""
    if one.type == "NSEC":
        return "NSEC where nothing is signed"
    if one.fact == "authority" and b"\x06secure" in one.name:
        return "DS where nothing is signed"
    if has_no_room(one):
        return "room for an extended error"
    return None


def test(s):
    """Knot, NSD and braidd serve the same zone and say the same, whatever is
    asked in whatever way."""
    s.need(*(program for program, _, _ in PEERS.values()))
    zone = s.write("rich.zone", rich_zone.TEXT)
    port = s.port()
    b = Braid(s, {"dns": {"bind": f"127.0.0.1:{port}",
                          "tcp": {"idle": "10m"},
                          "zones": {APEX: {"file": zone}}}})
    lines = start_all(s, zone, ("127.0.0.1", port))
    check_any(s, lines)
    check(s, lines, known)
    b.stop()


scenario.run(test)
