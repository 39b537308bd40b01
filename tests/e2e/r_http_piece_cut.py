#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading

from lib import client, scenario
from lib.braidd import Braid
from lib.content import Comparer, Content
from lib.http1 import Reader
from lib.origins import Origin, reset

MIB = 1 << 20
BYTES = 3 * MIB


def test(s):
    """A server that breaks in the head of an answer to a piece has told its
    client nothing yet, although bytes of an answer have come: the request is
    given to another."""
    content = Content("film", BYTES)
    data = content.bytes()
    cuts = threading.Event()
    cut = []

    def serve(sock, _number):
        reader = Reader(sock.recv)
        while True:
            head = reader.head()
            if not head:
                return
            asked = head.get("Range")
            # The engine's own pieces name the entity.
            if asked and not head.get("If-Range") and cuts.is_set():
                cuts.clear()
                cut.append(asked)
                sock.sendall(b"HTTP/1.1 206 Partial Content\r\nETag: \"o")
                reset(sock)
                return
            answer(sock, asked)

    def answer(sock, asked):
        first, end = 0, BYTES
        lines = ["HTTP/1.1 200 OK"]
        if asked:
            first, last = asked.removeprefix("bytes=").split("-")
            first, end = int(first), int(last) + 1
            lines = ["HTTP/1.1 206 Partial Content",
                     f"Content-Range: bytes {first}-{end - 1}/{BYTES}"]
        lines += ['ETag: "one"', "Accept-Ranges: bytes",
                  f"Content-Length: {end - first}", "", ""]
        sock.sendall("\r\n".join(lines).encode() + data[first:end])

    port = s.port()
    b = Braid(s, {
        "global": {"workers": 1},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "p"}},
        "pools": {"p": {
            "servers": {f"s{i}": {"address": Origin(s, serve).text}
                        for i in range(2)},
            "shard": {"range": "on", "min_size": "1MiB",
                      "piece": "256KiB"}}}})

    def get(what):
        sock = client.connect(("127.0.0.1", port))
        s.defer(sock.close)
        reader = Reader(sock.recv)
        sock.sendall(b"GET /film HTTP/1.1\r\nHost: a\r\n\r\n")
        head = reader.final_head()
        seen = Comparer(content)
        reader.body(head, "GET", seen)
        s.equal((head.status, seen.n, seen.wrong_at), (200, BYTES, None), what)

    get("as it is")
    cuts.set()
    get("cut in the head of a piece")
    s.equal(cut, [f"bytes=0-{(256 << 10) - 1}"], "it was cut")
    s.equal(b.metrics().total("braid_worker_http_replays_total"), 1, "replays")
    b.stop()


scenario.run(test)
