#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import ssl

from lib import client, scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.origins import Origin, echo


class Halfway:
    """A client that has sent the first n bytes of its ClientHello."""

    def __init__(self, port, context, n):
        self.input, self.output = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.input, self.output,
                                    server_hostname="www.example.com")
        self.sock = client.connect(("127.0.0.1", port))
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        hello = self.output.read()
        self.sock.sendall(hello[:n])
        self.rest = hello[n:]

    def _until_done(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.sock.sendall(self.output.read())
                self.input.write(self.sock.recv(65536))

    def go_on(self):
        """The rest of the handshake, and an echo over it; the serial number
        of the certificate that was shown."""
        self.sock.sendall(self.rest)
        self._until_done(self.tls.do_handshake)
        self.tls.write(b"ping")
        self.sock.sendall(self.output.read())
        if self._until_done(lambda: self.tls.read(4)) != b"ping":
            return None
        self.sock.close()
        return self.tls.getpeercert()["serialNumber"]


def test(s):
    """Handshakes that are under way end well: at reloads, with the
    certificate that held when they began, and at an upgrade."""
    authority = Authority(s)
    cert, key = authority.issue("www", "DNS:www.example.com")
    origin = Origin(s, echo)
    port = s.port()
    b = Braid(s, {
        "global": {"drain": "60s"},
        "listeners": {"web": {
            "bind": f"127.0.0.1:{port}", "pool": "o",
            "timeout": {"handshake": "60s"},
            "tls": {"certificates": [{"cert": cert, "key": key}]}}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}}})
    context = ssl.create_default_context(cafile=authority.cert)

    def begin():
        clients = [Halfway(port, context, n) for n in (0, 1, 5, 200)]
        s.until(lambda: b.status()["flows"]["open"] == len(clients),
                "handshakes are under way")
        return clients

    def end(clients, want, when):
        s.equal([c.go_on() for c in clients], [want] * len(clients),
                f"certificates of those that began {when}")

    first = Halfway(port, context, 0).go_on()
    b.idle()
    under_way = begin()
    for _ in range(3):
        authority.issue("www", "DNS:www.example.com")
        b.reload()
    end(under_way, first, "before three reloads")
    b.idle()
    last = Halfway(port, context, 0).go_on()
    s.check(last != first, "a new client gets the new certificate")
    b.idle()
    under_way = begin()
    b.upgrade()
    end(under_way, last, "before an upgrade")
    end([Halfway(port, context, 9)], last, "after it")
    b.stop()


scenario.run(test)
