#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import socket
import ssl

from lib import scenario
from lib.ask import Answer, ask, frame, query, read_tcp
from lib.braidd import Braid
from lib.certificates import Authority
from lib.process import Failure

LISTENER, FRIEND, OTHER = "127.0.0.2", "127.0.0.5", "127.0.1.5"
V2 = b"\r\n\r\n\0\r\nQUIT\n"
QUERY = frame(query("all.cdn.example"))


def v2(source, command=1):
    addresses = socket.inet_aton(source) + socket.inet_aton("127.0.0.1") + \
        b"\x10\x00\x03\x55"
    return V2 + bytes([0x20 | command, 0x11]) + b"\0\x0c" + addresses


def test(s):
    """A TLS listener before the responder says whose connection it is
    (dns.tcp.proxy_from): resources, lists of addresses and dns.tcp.per_source
    go by the client. Headers of both versions, in pieces, and what is none."""
    authority = Authority(s)
    cert, key = authority.issue("dns", "DNS:ns1.example.org")
    port, tls = s.port(), s.port()
    server = ("127.0.0.1", port)
    b = Braid(s, {
        "dns": {
            "bind": f"127.0.0.1:{port}",
            "tcp": {"per_source": 2, "proxy_from": [LISTENER]},
            "zones": {"cdn.example": {
                "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 60",
                            "@ NS ns1", "ns1 A 192.0.2.53"],
                # Two aliases for those who may, one for others.
                "resources": {"all": {"mode": "literal", "pops": ["a", "b"],
                                      "allow": [FRIEND]}}}}},
        "pops": {"a": {"addresses": ["192.0.2.1"]},
                 "b": {"addresses": ["192.0.2.2"]}},
        "listeners": {"dot": {
            "bind": f"127.0.0.1:{tls}", "pool": "responder",
            "tls": {"certificates": [{"cert": cert, "key": key}],
                    "alpn": ["dot"]}}},
        "pools": {"responder": {
            "source": LISTENER, "proxy_protocol": "v2",
            "servers": {"self": {"address": f"127.0.0.1:{port}"}}}}})
    context = ssl.create_default_context(cafile=authority.cert)
    context.set_alpn_protocols(["dot"])

    def connect(source, to=port):
        sock = socket.create_connection(("127.0.0.1", to), 60,
                                        source_address=(source, 0))
        s.defer(sock.close)
        return sock

    def aliases(sock):
        """How many the answer has, or None: the connection ends instead."""
        try:
            return len(Answer(read_tcp(sock)).data("CNAME"))
        except (OSError, Failure):
            return None

    def over_tls(source):
        sock = context.wrap_socket(connect(source, tls),
                                   server_hostname="ns1.example.org")
        s.defer(sock.close)
        try:
            sock.sendall(QUERY)
        except OSError:
            return None, sock
        return aliases(sock), sock

    def close(*socks):
        """Waits until their places are free again."""
        for sock in socks:
            sock.close()
        s.until(lambda: b.metrics().value("braid_dns_tcp_connections") == 0,
                "the connections have ended")

    s.say("-- over TLS")
    kept = []
    for source, expected in ((FRIEND, 2), (OTHER, 1), (FRIEND, 2), (OTHER, 1)):
        count, sock = over_tls(source)
        s.equal(count, expected, f"{source} is who asks")
        kept.append(sock)
    s.equal(over_tls(FRIEND)[0], None, "a third connection of that address")
    count, sock = over_tls("127.0.2.5")
    s.equal(count, 1, "but the first one of another")
    kept.append(sock)
    close(*kept)

    s.say("-- headers")
    for what, bytes_, expected in (
            ("version 2", v2(FRIEND) + QUERY, 2),
            ("version 1", f"PROXY TCP4 {FRIEND} 127.0.0.1 9 853\r\n".encode()
             + QUERY, 2),
            ("one that names nobody", v2(FRIEND, 0) + QUERY, 1),
            ("none at all", QUERY, None),
            ("a wrong one", V2 + b"\x31\x11\0\x0c" + b"x" * 12 + QUERY, None),
            ("one without an end", b"PROXY TCP4 " + b"1" * 200, None)):
        sock = connect(LISTENER)
        sock.sendall(bytes_)
        s.equal(aliases(sock), expected, what)
        close(sock)
    sock = connect(LISTENER)
    for byte in v2(FRIEND) + QUERY + QUERY:
        sock.sendall(bytes([byte]))
    s.equal((aliases(sock), aliases(sock)), (2, 2), "byte by byte, two queries")
    close(sock)
    sock = connect(LISTENER)
    sock.sendall(v2(FRIEND)[:9])
    sock.shutdown(socket.SHUT_WR)
    s.equal(aliases(sock), None, "half of one")
    close(sock)

    s.say("-- from elsewhere")
    sock = connect(OTHER)
    sock.sendall(v2(FRIEND) + QUERY)
    s.equal(aliases(sock), None, "who is no proxy cannot claim to be one")
    s.equal(len(ask(server, "all.cdn.example", tcp=True).data("CNAME")), 1,
            "and needs no header")
    b.stop()


scenario.run(test)
