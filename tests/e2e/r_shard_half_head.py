#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading

from lib import scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, nothing_left, open_reader
from lib.range_origin import Library, RangeOrigin

SIZE = 4 << 20


class HalfHead(RangeOrigin):
    """Says a part of the head of a piece's answer, once, and then nothing."""

    def __init__(self, s, library):
        self.struck = threading.Event()
        super().__init__(s, library, rate_bps=16 << 20)

    def _say(self, wire, method, answer, fault):
        if answer.first and not self.struck.is_set():
            self.struck.set()
            wire.send(answer.head()[:40])
            wire.wait_gone()
        super()._say(wire, method, answer, fault)


def test(s):
    """A server that says a part of a head and then nothing is as silent as one
    that says nothing: its piece is asked of another."""
    library = Library()
    servers = [RangeOrigin(s, library, rate_bps=16 << 20),
               HalfHead(s, library)]
    port = s.port()
    b = Braid(s, {
        "global": {"workers": 1},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "p"}},
        "pools": {"p": {
            "balance": "rr",
            "servers": {f"s{i}": {"address": server.text}
                        for i, server in enumerate(servers)},
            "shard": {"range": "on", "min_size": "64KiB",
                      "piece": "256KiB"}}}})
    before = b.settled_descriptors()
    path = f"/film/{SIZE}"
    sock, reader = open_reader(("127.0.0.1", port))
    s.defer(sock.close)
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    got = Download(limit_s=100).read(reader, [library.find(path).content])
    s.check(servers[1].struck.is_set(), "a head was cut")
    s.equal((got.end, got.compare[0].is_whole()), (WHOLE, True),
            "the download")
    s.say(f"longest gap {got.longest_gap_s * 1000:.0f} ms")
    s.check(b.metrics().total("braid_shard_migrations_total",
                              cause="silent") >= 1, "the silent was left")
    sock.close()
    nothing_left(s, b, before)
    b.stop()


scenario.run(test)
