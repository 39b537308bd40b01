#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import socket

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin

BULK = 4 << 20
AFTER = 5000


class Counter:
    """Keeps how many bytes came and how it ended."""

    def __init__(self):
        self.got, self.end = 0, None

    def __call__(self, sock, _number):
        while True:
            data = sock.recv(65536)
            if not data:
                self.end = client.FIN
                return
            self.got += len(data)


def test(s):
    """Urgent data in the middle of bulk: splice(2) stops at its mark, but no
    byte behind it is lost, also when the end follows at once."""
    counter = Counter()
    origin = Origin(s, counter)
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    })
    sock = client.connect(("127.0.0.1", port))
    sock.sendall(b"x" * BULK)
    s.until(lambda: counter.got == BULK, "bulk has arrived")
    sock.send(b"!", socket.MSG_OOB)
    sock.sendall(b"y" * AFTER)
    sock.shutdown(socket.SHUT_WR)
    s.until(lambda: counter.end is not None, "the end has arrived")
    s.equal(counter.got, BULK + AFTER, "bytes")
    sock.close()
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
