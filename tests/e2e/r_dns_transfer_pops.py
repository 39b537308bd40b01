#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import socket

from lib import scenario
from lib.ask import Answer, frame, query, read_tcp
from lib.braidd import Braid

NAMES = 16000  # of 500 bytes: more than the kernel keeps for a reader
TEXT = '"' + 250 * "x" + '"'


def test(s):
    """A secondary reads slowly while reloads change the zone and its POPs:
    it gets the old zone whole, also what the old POPs answer."""
    server = ("127.0.0.1", s.port())
    big = s.write("big.zone", "$TTL 60\n" + "\n".join(
        ["@ SOA ns1 hostmaster 5 3600 600 86400 60", "@ NS ns1",
         "ns1 A 192.0.2.53", *(f"h{i} TXT {TEXT} {TEXT}" for i in range(NAMES))]) +
        "\n")

    def config(last):
        return {"dns": {"bind": f"127.0.0.1:{server[1]}",
                        "tcp": {"idle": "120s"}, "zones": {
            "example.org": {"file": big,
                            "resources": {"z": {
                                "mode": "addrs", "pops": ["p1", "p2", "p3"]}},
                            "transfer": {"allow": ["127.0.0.1/32"]}}}},
                "pops": {name: {"addresses": [f"192.0.2.{last + i}"]}
                         for i, name in enumerate(("p1", "p2", "p3"))}}

    b = Braid(s, config(10))
    sock = socket.socket()
    s.defer(sock.close)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(60)
    sock.connect(server)
    sock.sendall(frame(query("example.org", "AXFR")))
    first = Answer(read_tcp(sock))
    for last in (20, 30, 40):
        b.reload(config(last))
    s.until(lambda: len(b.events("reloaded")) == 3, "three reloads")
    records = list(first.answer)
    while sum(r.kind == "SOA" for r in records) < 2:
        records += Answer(read_tcp(sock)).answer
    s.equal(sorted(r.data for r in records if r.name == "z.example.org."),
            ["192.0.2.10", "192.0.2.11", "192.0.2.12"],
            "the resource as it was when the transfer began")
    s.equal(sum(r.kind == "TXT" for r in records), NAMES, "all of it")
    b.stop()


scenario.run(test)
