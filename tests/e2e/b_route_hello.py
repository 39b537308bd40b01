#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import socket
import struct

from lib import certificates, client, scenario
from lib.braidd import Braid
from lib.origins import Origin
from lib.tls_stream import End

NAME = "www.example.com"
HELLO_MAX = 16384  # lb reads no longer ones
ECH, GREASE = 0xfe0d, 0x3a3a


class Cut:
    """A socket whose first bytes, a ClientHello, go out as `cut` says: a
    function from them to the pieces."""

    def __init__(self, sock, cut):
        self._sock, self._cut = sock, cut
        self.recv = sock.recv
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def sendall(self, data):
        cut, self._cut = self._cut, lambda data: [data]
        for piece in cut(data):
            self._sock.sendall(piece)


def each_byte(data):
    return [data[i:i + 1] for i in range(len(data))]


def records(n):
    """The message in records of n bytes each (RFC 8446, 5.1)."""
    def cut(data):
        size = struct.unpack("!H", data[3:5])[0]
        parts = [data[5:5 + size][i:i + n] for i in range(0, size, n)]
        return [b"".join(data[:3] + struct.pack("!H", len(part)) + part
                         for part in parts)]
    return cut


def extended(hello, *extensions):
    """With further extensions in front: (type, body)."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + struct.unpack("!H", hello[at:at + 2])[0]
    at += 1 + hello[at]
    more = b"".join(struct.pack("!HH", kind, len(body)) + body
                    for kind, body in extensions)
    old = struct.unpack("!H", hello[at:at + 2])[0]
    body = hello[9:at] + struct.pack("!H", old + len(more)) + more + \
        hello[at + 2:]
    message = b"\1" + struct.pack("!I", len(body))[1:] + body
    return hello[:3] + struct.pack("!H", len(message)) + message


def test(s):
    """ClientHellos as few clients send them: byte by byte, in many records,
    of 16 KiB, with a long list of protocols, with GREASE and Encrypted
    ClientHello; each byte arrives, and the route is the right one."""
    authority = certificates.Authority(s)
    pair = authority.issue("www", f"DNS:{NAME}")
    heard = []

    def listens(sock, _number):
        data = b""
        while part := sock.recv(65536):
            data += part
        heard.append(data)

    server = certificates.server_context(pair)
    server.set_alpn_protocols(["last"])
    origins = {
        "tls": Origin(s, certificates.over_tls(server,
                                               certificates.say(b"tls"))),
        "listens": Origin(s, listens),
        "rest": Origin(s, lambda sock, _: sock.sendall(b"rest")),
    }
    ports = {n: s.port() for n in ("name", "alpn", "listens")}
    routes = {"name": {"sni": NAME, "pool": "tls"},
              "alpn": {"alpn": "last", "pool": "tls"},
              "listens": {"sni": NAME, "pool": "listens"}}
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{p}", "pool": "rest",
                          "wait": "60s", "timeout": {"first_bytes": "60s"},
                          "routes": [routes[n]]}
                      for n, p in ports.items()},
        "pools": {n: {"servers": {"a": {"address": o.text}}}
                  for n, o in origins.items()},
    })

    def context(alpn=()):
        made = certificates.client_context(authority.cert)
        if alpn:
            made.set_alpn_protocols([*alpn])
        return made

    def shaken(listener, cut, alpn=()):
        with client.connect(("127.0.0.1", ports[listener])) as sock:
            tls = End(Cut(sock, cut), context(alpn), name=NAME)
            return tls.read_exactly(3), tls.tls.selected_alpn_protocol()

    many = [f"protocol-{i:04}" for i in range(1100)] + ["last"]
    few = [f"protocol-{i:04}" for i in range(15)] + ["last"]
    for what, cut in (("in one piece", lambda data: [data]),
                      ("byte by byte", each_byte),
                      ("in records of one byte", records(1)),
                      ("in records of 100 bytes", records(100))):
        s.equal(shaken("name", cut), (b"tls", None), f"{what}: by name")
        s.equal(shaken("alpn", cut, few), (b"tls", "last"),
                f"{what}: by protocol")
    size = len(certificates.hello(context(many), NAME))
    s.check(15000 < size < HELLO_MAX - 500, f"a ClientHello of {size} bytes")
    for what, cut in (("in one piece", lambda data: [data]),
                      ("byte by byte", each_byte),
                      ("in records of 1000 bytes", records(1000))):
        s.equal(shaken("name", cut, many), (b"tls", "last"),
                f"long, {what}: by name")
        # Of such a list only the first 256 bytes are compared.
        with client.connect(("127.0.0.1", ports["alpn"])) as sock:
            Cut(sock, cut).sendall(certificates.hello(context(many), NAME))
            s.equal(client.read_exactly(sock, 4), b"rest",
                    f"long, {what}: the last of 1101 protocols is not seen")

    # No client here speaks these: the server hears exactly what was said.
    hello = certificates.hello(context(few), NAME)
    room = HELLO_MAX - len(hello) - 4
    for what, extensions in (
            ("GREASE and ECH", [(GREASE, b""), (ECH, b"\0" + b"e" * 200)]),
            ("200 extensions", [(0x5000 + i, b"x" * 20)
                                for i in range(200)]),
            ("16 KiB to the byte", [(GREASE, b"g" * room)])):
        sent = extended(hello, *extensions)
        with client.connect(("127.0.0.1", ports["listens"])) as sock:
            sock.sendall(sent)
            sock.shutdown(socket.SHUT_WR)
            client.read_end(sock)
        s.until(lambda: heard, f"{what}: heard")
        s.check(heard.pop() == sent, f"{what}: all {len(sent)} bytes")

    for cause, words, sent in (
            ("length", "longer than 16 KiB",
             extended(hello, (GREASE, b"g" * (room + 1)))),
            ("extensions", "malformed extensions",
             extended(hello, (0, b"\0\7\0\0\4name"))),
            ("body", "malformed before its extensions",
             hello[:43] + b"\xff" + hello[44:]),
            ("record", "malformed TLS record",
             records(100)(hello)[0][:105] + b"\x17\3\3\0\1x")):
        s.equal(client.ask(("127.0.0.1", ports["listens"]), sent),
                (b"", client.RESET), f"{words}: closed")
        s.until(lambda: b.flows(error=f"TLS ClientHello: {words}", end="PF"),
                "said in the access log")
        m = b.metrics()
        s.equal(sum(m.value("braid_client_hello_failures_total",
                            worker=str(w), cause=cause) for w in range(2)),
                1, f"failures by {cause}")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
