#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, open_reader
from lib.process import wait_until
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

SIZE, SMALL, END = 2 << 20, "/small/5", 16


class Talkative(RangeOrigin):
    """Says more than it was asked for, behind the end of what is large, in
    one segment with that end."""

    def _send_body(self, wire, answer, data):
        size = answer.entity.size
        end = b"".join(bytes(part) for part in answer.entity.content.parts(
            max(0, size - END), size))
        if size < SIZE or bytes(data[-END:]) != end:
            wire.send(data)
            return
        wire.send(data[:-END])
        wait_until(lambda: not client.unacknowledged(wire.sock), "all before it has gone")
        wire.send(end + answer_to_nobody())


def answer_to_nobody():
    return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nWRONG"


def test(s):
    """What a server says behind the last piece that it was asked for is not
    the answer to the next request, which waits behind the download."""
    library = Library()
    servers = [Talkative(s, library) for _ in range(2)]
    port = s.port()
    b = Braid(s, {
        "global": {"workers": 1},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "p"}},
        "pools": {"p": {
            "servers": {f"s{i}": {"address": server.text}
                        for i, server in enumerate(servers)},
            "shard": {"range": "on", "min_size": "64KiB",
                      "piece": "256KiB"}}}})
    small = library.find(SMALL).content
    for turn in range(8):
        path = f"/film-{turn}/{SIZE}"
        sock, reader = open_reader(("127.0.0.1", port))
        s.defer(sock.close)
        sock.sendall(request(f"GET {path} HTTP/1.1") +
                     request(f"GET {SMALL} HTTP/1.1"))
        got = Download().read(reader, [library.find(path).content])
        s.equal((got.end, got.compare[0].is_whole()), (WHOLE, True),
                "the download")
        got = Download().read(reader, [small])
        s.equal((got.end, got.compare[0].is_whole()), (WHOLE, True),
                "what was asked behind it")
        sock.close()
    b.idle()
    b.stop()


scenario.run(test)
