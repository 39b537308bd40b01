#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin

REQUEST = (b"GET /index.html HTTP/1.1\r\nHost: www.example.com\r\n"
           b"Accept: */*\r\n\r\n")
PAGE = (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
        b"Content-Length: 2000\r\n\r\n" + b"x" * 2000)
FILE_BYTES = 4 << 20
# What a flow is shows in its times, too: one that stood still because the
# machine was busy is none of these.
PAGE_MS, FILE_MS = 240, 1000


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

    def flow(request, n, limit_ms):
        """The line of a flow that took no longer, else None."""
        nonlocal seen
        with client.connect(("127.0.0.1", port)) as sock:
            sock.sendall(request)
            client.read_exactly(sock, n)
        seen += 1
        line = b.wait_flows(seen)[-1]
        return line if float(line["total_ms"]) < limit_ms else None

    def told(request, n, limit_ms):
        return s.until(lambda: flow(request, n, limit_ms),
                       f"{n} bytes at once")["class"]

    s.equal(told(REQUEST, len(PAGE), PAGE_MS), "request", "a page")
    s.equal(told(b"all of it", FILE_BYTES, FILE_MS), "bulk", "4 MiB")
    b.reload(config(model="none"))
    s.equal(told(REQUEST, len(PAGE), PAGE_MS), "unknown", "without a model")
    b.reload(config(model="builtin"))
    s.equal(told(REQUEST, len(PAGE), PAGE_MS), "request", "by its name")
    b.stop()


scenario.run(test, user="nobody")
