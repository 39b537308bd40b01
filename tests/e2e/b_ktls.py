#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import hashlib
import random
import ssl

from lib import client, origins, scenario
from lib.braidd import Braid
from lib.certificates import Authority

DATA = random.Random(5).randbytes(16 << 20)


def test(s):
    """global.ktls: auto, with whatever this kernel has: it is tried, said, and
    every byte arrives, with close_notify behind it."""
    authority = Authority(s)
    cert, key = authority.issue("localhost", "DNS:localhost")

    def answer(sock, _number):
        if client.read_exactly(sock, 4) == b"send":
            sock.sendall(DATA)
    origin = origins.Origin(s, answer)
    port = s.port()

    def start(ktls):
        return Braid(s, {
            "global": ktls,
            "listeners": {"web": {
                "bind": f"127.0.0.1:{port}", "pool": "origins",
                "tls": {"certificates": [{"cert": cert, "key": key}]}}},
            "pools": {"origins": {"servers": {"a": {
                "address": origin.text}}}}})

    def transfer(version):
        context = ssl.create_default_context(cafile=authority.cert)
        context.minimum_version = context.maximum_version = version
        with context.wrap_socket(client.connect(("127.0.0.1", port)),
                                 server_hostname="localhost",
                                 suppress_ragged_eofs=False) as sock:
            sock.sendall(b"send")
            got = bytearray()
            while True:
                # Without close_notify this raises.
                more = sock.recv(1 << 16)
                if not more:
                    break
                got += more
        s.equal(hashlib.sha256(got).hexdigest(),
                hashlib.sha256(DATA).hexdigest(), f"bytes, {version.name}")

    braid = start({"ktls": "auto"})
    says = braid.status()["tls"]["ktls"]
    s.check(says in ("on", "unavailable"), f"status: {says}")
    braid.wait_event("serving", ktls=says)
    if says == "unavailable":
        said = braid.wait_event("start")["warning"]
        s.check(said.startswith("global.ktls has no effect: "), said)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        transfer(version)
    tls = braid.status()["tls"]
    s.equal((tls["ktls_directions"], tls["ktls_refused"]),
            (2 if says == "on" else 0, 0), "directions")
    s.say(f"kernel TLS: {says}")
    braid.stop()

    braid = start({})
    s.equal(braid.status()["tls"]["ktls"], "off", "unless said otherwise")
    transfer(ssl.TLSVersion.TLSv1_3)
    braid.stop()


scenario.run(test, user="nobody")
