#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin

REQUEST = (b"GET /index.html HTTP/1.1\r\nHost: www.example.com\r\n"
           b"Accept: */*\r\n\r\n")
PAGE = (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
        b"Content-Length: 2000\r\n\r\n" + b"x" * 2000)
FILE_BYTES = 64 << 20


def serve(sock, _number):
    """A page to who asks for it, much to all others."""
    data = sock.recv(4096)
    while data:
        sock.sendall(PAGE if data.startswith(b"GET /index") else
                     bytes(FILE_BYTES))
        data = sock.recv(4096)


def test(s):
    """Without a word about models flows are told by the one that comes with
    Braid: a page is a request, much at once is bulk. With none of it they are
    unknown."""
    origin = Origin(s, serve)
    port = s.port()

    def config(**profiler):
        return {
            "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
            "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
            "profiler": {"mode": "observe", **profiler},
        }

    b = Braid(s, config())
    seen = 0

    def told(request, n):
        nonlocal seen
        with client.connect(("127.0.0.1", port)) as sock:
            sock.sendall(request)
            s.equal(len(client.read_exactly(sock, n)), n, "bytes")
        seen += 1
        return b.wait_flows(seen)[-1]["class"]

    s.equal(told(REQUEST, len(PAGE)), "request", "a page")
    s.equal(told(b"all of it", FILE_BYTES), "bulk", "64 MiB")
    b.reload(config(model="none"))
    s.equal(told(REQUEST, len(PAGE)), "unknown", "without a model")
    b.reload(config(model="builtin"))
    s.equal(told(REQUEST, len(PAGE)), "request", "by its name")


scenario.run(test, user="nobody")
