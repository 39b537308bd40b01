#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import ssl

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin
from lib.proxy_header import AUTHORITY, Header

NAME = "www.example.com"


def hello():
    """The first flight of a TLS client."""
    out = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(
        ssl.MemoryBIO(), out, server_hostname=NAME)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


class Reader:
    """Reads a PROXY header, then answers with what comes to the end."""

    def __init__(self):
        self.headers = []

    def __call__(self, sock, _number):
        self.headers.append(Header(sock))
        sock.sendall(client.read_end(sock)[0])


def test(s):
    """A connection routed by its ClientHello: the PROXY header before it says
    from where and to where, also where nobody else has asked for the
    addresses, and each byte behind it arrives once."""
    reader = Reader()
    ports = {n: s.port() for n in ("one", "two", "all", "plain")}
    binds = {"one": [f"127.0.0.1:{ports['one']}"],
             "two": [f"127.0.0.2:{ports['two']}",
                     f"127.0.0.1:{ports['two']}"],
             "all": [f"0.0.0.0:{ports['all']}"],
             "plain": [f"127.0.0.1:{ports['plain']}"]}
    servers = {"servers": {"r": {"address": Origin(s, reader).text}}}
    b = Braid(s, {
        "global": {"log": {"access": False}},
        "listeners": {n: {
            "bind": binds[n], "pool": "other" if n != "plain" else "routed",
            "wait": "60s", "timeout": {"first_bytes": "60s"},
            **({"routes": [{"sni": NAME, "pool": "routed"}]}
               if n != "plain" else {})} for n in ports},
        "pools": {"routed": {"proxy_protocol": "v2", **servers},
                  "other": {"servers": {"x": {
                      "address": f"127.0.0.1:{s.port()}"}}}}})

    def exact(name, data, parts):
        with client.connect(("127.0.0.1", ports[name])) as sock:
            for part in parts:
                sock.sendall(part)
            # Those before it may still be ending.
            s.until(lambda: [
                r for r in b.ctl("flows")["flows"]
                if r["listener"] == name and r["state"] == "established" and
                r["client"] == "%s:%d" % sock.getsockname()],
                f"{name}: the client in braidctl flows")
            sock.shutdown(1)
            s.equal(client.read_end(sock), (data, client.FIN),
                    f"{name}: each byte once, {len(data)} of them")
            header = reader.headers[-1]
            s.equal((header.source, header.destination),
                    (sock.getsockname(), ("127.0.0.1", ports[name])),
                    f"{name}: the addresses")
            if name != "plain":
                s.equal(header.tlvs[AUTHORITY], NAME.encode(), "the name")

    first = hello()
    for name in ports:
        exact(name, first, [first])
    # The pool's clients have always spoken first by now: the handshake's ACK
    # waits for the first bytes.
    for _ in range(70):
        with client.connect(("127.0.0.1", ports["one"])) as sock:
            sock.sendall(first)
            sock.shutdown(1)
            s.equal(client.read_end(sock), (first, client.FIN), "an echo")
    more = bytes(range(256)) * 200
    exact("one", first + more, [first, more])
    exact("one", first + more, [first + more])
    exact("one", first, [first[:7], first[7:]])
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
