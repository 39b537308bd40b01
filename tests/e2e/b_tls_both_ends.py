#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import hashlib
import random
import ssl

from lib import client, origins, scenario
from lib.braidd import Braid
from lib.certificates import Authority

DATA = random.Random(5).randbytes(8 << 20)


def test(s):
    """TLS with the client and with the server: bytes exact, versions 1.2 and
    1.3, sessions resumed by either worker."""
    authority = Authority(s)
    cert, key = authority.issue("localhost", "DNS:localhost")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)

    def answer(sock, _number):
        with server.wrap_socket(sock, server_side=True) as tls:
            while True:
                request = tls.recv(5)
                if not request:
                    tls.unwrap()  # says close_notify
                    return
                tls.sendall(DATA if request == b"large" else b"small")
    origin = origins.Origin(s, answer)
    port = s.port()
    braid = Braid(s, {
        "listeners": {"web": {
            "bind": f"127.0.0.1:{port}", "pool": "origins",
            "tls": {"certificates": [{"cert": cert, "key": key}]}}},
        "pools": {"origins": {
            "servers": {"a": {"address": origin.text}},
            "connect": {"timeout": "60s"},
            "tls": {"ca": authority.cert, "sni": "localhost"}}}})
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=authority.cert)
        context.minimum_version = context.maximum_version = version
        session = None
        reused = 0
        for _ in range(8):
            sock = context.wrap_socket(
                client.connect(("127.0.0.1", port)),
                server_hostname="localhost", session=session)
            sock.sendall(b"small")
            s.equal(client.read_exactly(sock, 5), b"small", "an answer")
            reused += sock.session_reused
            session = sock.session
            sock.unwrap()
        s.equal(reused, 7, f"resumed over two workers, {version.name}")
        with context.wrap_socket(
                client.connect(("127.0.0.1", port)),
                server_hostname="localhost") as sock:
            sock.sendall(b"large")
            got = client.read_exactly(sock, len(DATA))
        s.equal(hashlib.sha256(got).hexdigest(),
                hashlib.sha256(DATA).hexdigest(), f"bytes, {version.name}")
    braid.idle()
    braid.stop()


scenario.run(test)
