#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import select
import socket

from lib import scenario
from lib.ask import Answer, ask, frame, query, read_tcp
from lib.braidd import Braid

ADDRESS = "192.0.2.1"
RECORDS = ["@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
           f"ns1 A {ADDRESS}"]
WAITING = 40


def test(s):
    """No descriptors left: DNS over UDP and over connections that are there
    goes on, those that come wait, and are answered when there are some
    again."""
    port = s.port()
    server = ("127.0.0.1", port)
    message = frame(query("ns1.example.org"))
    b = Braid(s, {"dns": {"bind": f"127.0.0.1:{port}",
                          "tcp": {"per_source": 200, "idle": "60s"},
                          "zones": {"example.org": {"records": RECORDS}}}})

    def connect():
        sock = socket.create_connection(server, 60)
        s.defer(sock.close)
        sock.sendall(message)
        return sock

    def is_answered(sock):
        return Answer(read_tcp(sock)).data("A") == [ADDRESS]

    old = [connect() for _ in range(10)]
    s.check(all(map(is_answered, old)), "ten connections")
    soft = hard = b.descriptor_limit()
    b.settled_descriptors()
    b.limit_descriptors(b.highest_descriptor() + 1, hard)
    new = [connect() for _ in range(WAITING)]
    for sock in old:
        sock.sendall(message)
    s.check(all(map(is_answered, old)), "they are answered again")
    s.check(all(ask(server, "ns1.example.org").data("A") == [ADDRESS]
                for _ in range(200)), "200 questions over UDP")
    waiting = [sock for sock in new if not has_answer(sock)]
    s.check(len(waiting) > WAITING // 2,
            f"{len(waiting)} of {WAITING} new ones wait")
    for sock in old[:5]:
        sock.close()
    b.limit_descriptors(soft, hard)
    s.check(all(map(is_answered, new)), "all of them are answered")
    s.check(is_answered(connect()), "and one more")
    b.stop()


def has_answer(sock):
    return bool(select.select([sock], [], [], 0)[0])


scenario.run(test)
