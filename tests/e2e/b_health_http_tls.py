#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority, TlsServer
from lib.origins import Origin


class Plain:
    """A health page without TLS; remembers what it was sent."""

    def __init__(self, s):
        self.heads = []
        self.origin = Origin(s, self.answer)

    def answer(self, sock, _number):
        head = b""
        # A PROXY header of version 2 begins with an empty line too.
        while not head.endswith(b"*/*\r\n\r\n"):
            part = sock.recv(4096)
            if not part:
                return
            head += part
        self.heads.append(head)
        sock.sendall(b"HTTP/1.1 204 Fine\r\n\r\n")


def test(s):
    """http and send_expect checks go through TLS where the pool speaks it, on
    its own port plainly unless told otherwise, and begin with a PROXY header
    where flows do."""
    authority = Authority(s)
    good = authority.issue("good", "DNS:good.example,IP:127.0.0.1")
    other = authority.issue("other", "DNS:other.example")
    web, wrong = TlsServer(s, "web", good), TlsServer(s, "wrong", other)
    old = TlsServer(s, "old", good, ["-www", "-tls1_2"])
    page = Plain(s)
    health = {"type": "http", "interval": "200ms", "timeout": "60s", "rise": 1,
              "fall": 1, "fail_open": "0%", "path": "/"}
    servers = {"web": {"address": web.text}, "wrong": {"address": wrong.text},
               "old": {"address": old.text}}
    tls = {"ca": authority.cert, "sni": "good.example"}
    script = [{"send": "GET / HTTP/1.0\\r\\n\\r\\n"},
              {"expect": "200 ok\\r\\n"}, {"expect": "s_server"}]
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{s.port()}",
                              "pool": "http"}},
        "pools": {
            "http": {"servers": servers, "tls": tls, "health": health},
            "refused": {"servers": servers, "tls": tls,
                        "health": {**health, "status": 404}},
            "script": {"servers": servers, "tls": tls,
                       "health": {"type": "send_expect", "interval": "200ms",
                                  "timeout": "60s", "rise": 1, "fall": 1,
                                  "fail_open": "0%", "script": script}},
            # The page stands beside the servers and speaks no TLS.
            "apart": {"servers": {"x": {
                "address": web.text, "health_address": page.origin.text}},
                "tls": tls, "health": health, "proxy_protocol": "v2"},
            # TLS to the page that is told to have it, though flows have none.
            "told": {"servers": {"x": {
                "address": page.origin.text, "health_address": web.text}},
                "health": {**health, "tls": "on"}},
            "off": {"servers": {"x": {"address": web.text}}, "tls": tls,
                    "health": {**health, "tls": "off"}},
            "v1": {"servers": {"x": {"address": page.origin.text}},
                   "health": {**health, "host": "v1"},
                   "proxy_protocol": "v1"},
            "v2": {"servers": {"x": {"address": page.origin.text}},
                   "health": {**health, "host": "v2"},
                   "proxy_protocol": "v2"}}})

    def expect(pool, server, health, word):
        def is_so():
            row = b.server(pool, server)
            return row["health"] == health and word in row["cause"]
        s.until(is_so, f"{pool}/{server} is {health}: {word}")

    for server in ("web", "old"):
        expect("http", server, "up", "status 200")
        expect("refused", server, "down", "status 200, expected 404")
        expect("script", server, "up", "all 3 steps")
    for pool in ("http", "refused", "script"):
        expect(pool, "wrong", "down", "another name")
    expect("apart", "x", "up", "status 204")
    expect("told", "x", "up", "status 200")
    expect("off", "x", "down", "")
    expect("v1", "x", "up", "status 204")
    expect("v2", "x", "up", "status 204")
    heads = set(h.split(b"\r\nUser-Agent")[0] for h in page.heads)
    apart = page.origin.text.encode()
    get = b"GET / HTTP/1.1\r\nHost: "
    s.equal(heads, {get + apart, b"PROXY UNKNOWN\r\n" + get + b"v1",
                    b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0" + get + b"v2"},
            "how checks without TLS begin")
    b.stop()


scenario.run(test)
