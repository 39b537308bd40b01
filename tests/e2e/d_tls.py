#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import socket
import ssl

from lib import scenario
from lib.ask import Answer, frame, query, read_tcp
from lib.braidd import Braid
from lib.certificates import Authority
from lib.process import run as run_program
from lib.scenario import find_program


def test(s):
    """DNS over TLS (RFC 7858): a TLS listener whose pool is the responder's own
    TCP port. Several queries on one connection, and kdig with its check of the
    certificate."""
    s.need("kdig")
    authority = Authority(s)
    cert, key = authority.issue("dns", "DNS:ns1.example.org")
    port, tls = s.port(), s.port()
    b = Braid(s, {
        "dns": {"bind": f"127.0.0.1:{port}", "zones": {"example.org": {
            "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 60",
                        "@ NS ns1", "ns1 A 192.0.2.53",
                        *(f"h{i} A 192.0.2.{i}" for i in range(20))]}}},
        "listeners": {"dot": {
            "bind": f"127.0.0.1:{tls}", "pool": "responder",
            "tls": {"certificates": [{"cert": cert, "key": key}],
                    "alpn": ["dot"]}}},
        "pools": {"responder": {"servers": {
            "self": {"address": f"127.0.0.1:{port}"}}}}})

    context = ssl.create_default_context(cafile=authority.cert)
    context.set_alpn_protocols(["dot"])
    with socket.create_connection(("127.0.0.1", tls), 10) as plain, \
            context.wrap_socket(plain, server_hostname="ns1.example.org") \
            as sock:
        s.equal(sock.selected_alpn_protocol(), "dot", "ALPN")
        names = {i: f"h{i}.example.org" for i in range(20)}
        sock.sendall(b"".join(frame(query(name, number=i))
                              for i, name in names.items()))
        answers = [Answer(read_tcp(sock)) for _ in names]
        s.equal({a.id: a.data("A")[0] for a in answers},
                {i: f"192.0.2.{i}" for i in names},
                "twenty queries at once on one connection")

    def kdig(*more):
        return run_program([
            find_program("kdig"), "@127.0.0.1", "-p", tls, "+tls",
            f"+tls-ca={authority.cert}", "+timeout=60", "+retry=0", *more,
            "h7.example.org", "A"],
            check=False)
    done = kdig("+tls-hostname=ns1.example.org", "+short")
    s.equal(done.stdout.strip(), "192.0.2.7", "kdig +tls")
    done = kdig("+tls-hostname=ns2.example.org", "+short")
    s.check("192.0.2.7" not in done.stdout,
            "kdig, for another name: the certificate is not of it")
    s.equal(b.metrics().value("braid_dns_queries_tcp_total"), 21,
            "the responder saw them over TCP")
    b.stop()


scenario.run(test)
