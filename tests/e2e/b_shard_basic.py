#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.content import Comparer
from lib.http1 import Reader
from lib.range_origin import Library, RangeOrigin

MIB = 1 << 20
SIZE = 12 * MIB + 4711


class Client:
    """One keep-alive connection."""

    def __init__(self, s, port):
        self.s = s
        self.sock = client.connect(f"127.0.0.1:{port}")
        s.defer(self.sock.close)
        self.reader = Reader(self.sock.recv)

    def get(self, entity, path, first=0, end=None, fields=()):
        end = entity.size if end is None else end
        lines = [f"GET {path} HTTP/1.1", "Host: a", *fields]
        if (first, end) != (0, entity.size):
            lines.append(f"Range: bytes={first}-{end - 1}")
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = self.reader.final_head()
        seen = Comparer(entity.content, first)
        self.reader.exactly(int(head.get("Content-Length")), seen)
        self.s.equal(seen.wrong_at, None, "the bytes are those")
        self.s.equal(seen.n, end - first, "all of them")
        return head


def ranges(origins):
    return [len([r for r in o.requests if r[2]]) for o in origins]


def test(s):
    """One download from several servers at once: the bytes, what the client
    is told, whom was asked, and what follows on the same connection."""
    library = Library()
    path, small = f"/large/{SIZE}", "/small/1000"
    entity = library.find(path)
    origins = [RangeOrigin(s, library, rate_bps=16 * MIB) for _ in range(4)]
    servers = {f"s{i}": {"address": o.text} for i, o in enumerate(origins)}
    ports = {n: s.port() for n in ("on", "auto")}
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{p}", "pool": n}
                      for n, p in ports.items()},
        "pools": {n: {"servers": servers, "balance": "rr",
                      "shard": {"range": n, "min_size": "1MiB",
                                "piece": "256KiB", "max": 4}}
                  for n in ports}})
    for name, port in ports.items():
        c = Client(s, port)
        for _ in range(2):
            head = c.get(entity, path)
            s.equal(head.status, 200, f"{name}: the whole")
            s.equal(head.get("ETag"), entity.etag, "its tag")
            s.equal(head.get("Content-Range"), None, "and no part")
        head = c.get(entity, path, 1000, SIZE - 999)
        s.equal(head.status, 206, f"{name}: a part")
        s.equal(head.get("Content-Range"),
                f"bytes 1000-{SIZE - 1000}/{SIZE}", "which")
        c.get(library.find(small), small)
        while name == "on" and min(ranges(origins)) == 0:
            c.get(entity, path)  # who was silent is asked again
        if name == "on":
            s.check(True, "all servers were asked")
    b.stop()


scenario.run(test)
