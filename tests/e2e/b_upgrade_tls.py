#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import ssl

from lib import client, scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.origins import Origin, greeter


def test(s):
    """TLS over an upgrade: sessions go on with the old process, and the new
    one resumes what the old one has begun."""
    authority = Authority(s)
    cert, key = authority.issue("localhost", "DNS:localhost")
    origin = Origin(s, greeter("a"))
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {
            "bind": f"127.0.0.1:{port}", "pool": "o",
            "tls": {"certificates": [{"cert": cert, "key": key}]}}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    })
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(authority.cert)

    def opened(session=None):
        sock = context.wrap_socket(
            client.connect(("127.0.0.1", port)), session=session)
        s.equal(client.read_exactly(sock, 1), b"a", "the server's greeting")
        return sock

    held = opened()
    session = held.session
    s.check(not held.session_reused, "a full handshake")
    again = opened(session)
    s.check(again.session_reused, "resumed by the same process")
    again.close()

    b.upgrade()
    s.check(client.echoes(held), "the session goes on with the old process")
    young = b.opened(lambda: opened(session))
    s.check(young.session_reused, "resumed by the new process")
    s.check(client.echoes(young), "and it carries bytes")
    s.equal(b.status()["flows"]["open"], 1, "flows of the new process")
    held.close()
    young.close()
    b.stop()


scenario.run(test)
