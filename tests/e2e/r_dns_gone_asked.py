#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import socket

from lib import scenario
from lib.ask import Answer, ask, frame, query, read_tcp
from lib.braidd import Braid


def test(s):
    """A reload takes `dns` away while a client has a TCP connection: what it
    asks there afterwards is refused, and braidd lives on."""
    server = ("127.0.0.1", s.port())
    web = {"listeners": {"web": {"bind": f"127.0.0.1:{s.port()}",
                                 "pool": "p"}},
           "pools": {"p": {"servers": {"a": {"address": "127.0.0.1:9"}}}}}
    dns = {"dns": {"bind": f"127.0.0.1:{server[1]}",
                   "tcp": {"idle": "120s"}, "zones": {
        "example.org": {"records": [
            "@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
            "ns1 A 192.0.2.53"]}}}}
    b = Braid(s, {**web, **dns})
    held = [socket.create_connection(server) for _ in range(4)]
    for sock in held:
        s.defer(sock.close)
        sock.settimeout(60)
        sock.sendall(frame(query("ns1.example.org")))
        s.equal(Answer(read_tcp(sock)).data("A"), ["192.0.2.53"],
                "a connection that has asked")
    b.reload(web)
    for sock, kind in zip(held, ("A", "SOA", "AXFR", "ANY")):
        sock.sendall(frame(query("example.org", kind)))
        s.equal(Answer(read_tcp(sock)).rcode, "REFUSED",
                f"{kind} when there are no zones")
    b.reload({**web, **dns})
    held[0].sendall(frame(query("ns1.example.org")))
    s.equal(Answer(read_tcp(held[0])).data("A"), ["192.0.2.53"],
            "the connection goes on when they are back")
    s.equal(ask(server, "ns1.example.org").data("A"), ["192.0.2.53"],
            "and so does UDP")
    b.stop()


scenario.run(test)
