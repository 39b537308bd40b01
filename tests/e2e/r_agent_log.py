#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.origins import Origin, echo

REASON = 'why" level=error server=b pop=far msg="all is lost\\'


def test(s):
    """Whatever an agent gives as its reason, of a server or of a POP, is one
    value in the log: it cannot add fields, nor replace those before it."""
    port = s.port()
    agent = Origin(s, lambda sock, _: sock.sendall(
        b"down #" + REASON.encode() + b"\n"))
    asked = {"port": agent.address[1], "interval": "100ms"}
    origin = Origin(s, echo)
    b = Braid(s, {
        "dns": {"bind": f"127.0.0.1:{port}", "zones": {"cdn.example": {
            "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 60",
                        "@ NS ns1", "ns1 A 192.0.2.53"]}}},
        "pops": {"near": {"addresses": ["127.0.0.1"], "agent": asked}},
        "listeners": {"web": {"bind": f"127.0.0.1:{s.port()}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}},
                        "agent": asked}}})
    said = f"down #{REASON}"
    b.wait_event("POP report", pop="near", address="127.0.0.1", said=said,
                 level="info")
    b.wait_event("server down by its agent", pool="o", server="a",
                 cause=said, level="warn")
    b.stop()


scenario.run(test)
