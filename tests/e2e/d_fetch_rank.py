#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import ssl

from lib import scenario
from lib.certificates import Authority, server_context
from lib.fetch import Fetch
from lib.dns import Dns
from lib.origins import Origin

ECH, UNKNOWN = 5, 65280


class Page:
    """A TLS origin that says its name; `asked` are the requests it saw."""

    def __init__(self, s, context, name, host, port):
        self.context, self.name, self.asked = context, name, []
        self.hellos = []
        self.origin = Origin(s, self._talk, (host, port))
        self.text = f"{host}:{port}"

    def _talk(self, sock, _number):
        with self.context.wrap_socket(sock, server_side=True) as tls:
            data = b""
            while b"\r\n\r\n" not in data:
                more = tls.recv(65536)
                if not more:
                    return
                data += more
            self.asked.append(data.decode())
            tls.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
                        b"Content-Length: 4\r\n\r\n" + self.name)
            try:
                tls.unwrap()
            except (OSError, ssl.SSLError):
                pass


def silent(sock, _number):
    """Accepts and never says anything."""
    while sock.recv(65536):
        pass


def world(s):
    authority = Authority(s)
    good = server_context(authority.issue("good", "DNS:www.test"))
    wrong = server_context(authority.issue("wrong", "DNS:else.test"))
    dns, port = Dns(s), s.port()
    w = {"dns": dns, "port": port, "ca": authority.cert,
         "silent": Origin(s, silent, ("127.0.0.11", port)),
         "wrong": Page(s, wrong, b"wron", "127.0.0.12", port),
         "good": Page(s, good, b"good", "127.0.0.13", s.port()),
         "self": Page(s, good, b"self", "127.0.0.14", port)}
    dns.set("silent.test", "A", "127.0.0.11")
    dns.set("wrong.test", "A", "127.0.0.12")
    dns.set("good.test", "A", "127.0.0.13")
    dns.set("www.test", "A", "127.0.0.14")
    return w


def services(w, *values):
    w["dns"].set(f"_{w['port']}._https.www.test", "HTTPS", *values)


def ask(w, fetch, *options):
    # The next one has its turn when one fails or is silent for so long, and not
    # because a handshake took long.
    return fetch("--cacert", w["ca"], "--no-remember", "--stagger", "4000",
                 "-w", " %{pop}", *options, f"https://www.test:{w['port']}/x")


def by_priority(s, w, fetch):
    """Silent, then one without a right certificate, then the good one, by
    priority and with its port; only it sees a request."""
    services(w, (4, "www.test"),
             (3, "good.test", ["http/1.1"], w["good"].origin.address[1]),
             (1, "silent.test", ["http/1.1"]),
             (2, "wrong.test", ["h2", "http/1.1"]))
    got = ask(w, fetch)
    s.equal((got.code, got.body), (0, b"good good.test."), "the good one")
    s.equal(got.addresses("order"),
            [w["silent"].text, w["wrong"].text, w["good"].text,
             w["self"].text], "by SvcPriority")
    s.equal(got.addresses("failed"), [w["wrong"].text],
            "the wrong certificate has failed")
    s.check(w["silent"].text in got.addresses("lost"),
            "the silent one is closed")
    s.equal([len(w[n].asked) for n in ("wrong", "good", "self")], [0, 1, 0],
            "requests seen")
    s.check(f"Host: www.test:{w['port']}\r\n" in w["good"].asked[0],
            "Host is the URL's, not the target's")
    s.until(lambda: w["silent"].n_open == 0, "the loser's connection is gone")


def unusable(s, w, fetch):
    """What demands more than is known, or speaks neither protocol."""
    services(w, (1, "good.test", ["h3"], None, (), [(2, b"")]),
             (2, "good.test", ["h2"], None, (),
              [(0, b"\xff\x00"), (UNKNOWN, b"x")]))
    got = ask(w, fetch)
    s.equal((got.code, got.body), (0, b"self www.test."), "the name itself")
    texts = [text for _, _, text in got.of("resolve")]
    s.equal(len(texts), 2, f"both are said: {texts}")


def hints(s, w, fetch):
    """Addresses of a target count, hints only where it has none."""
    port = w["good"].origin.address[1]
    services(w, (1, "nowhere.test", ["http/1.1"], port, ["127.0.0.13"]))
    got = ask(w, fetch)
    s.equal(got.body, b"good nowhere.test.", "by a hint")
    services(w, (1, "good.test", ["http/1.1"], port, ["127.0.0.12"]))
    got = ask(w, fetch)
    s.equal(got.body, b"good good.test.", "by addresses, not by hints")
    s.check("127.0.0.12" not in "".join(got.addresses("order")),
            "the hint is left out")


def alias(s, w, fetch):
    services(w, (0, "svc.test"))
    w["dns"].set("svc.test", "HTTPS", (1, "", ["http/1.1"]))
    w["dns"].set("svc.test", "A", "127.0.0.14")
    got = ask(w, fetch)
    s.equal(got.body, b"self svc.test.", "an alias is followed")
    services(w, (0, ""))
    s.equal(ask(w, fetch).code, 6, "an alias of nothing: not offered")


def certificates(s, w, fetch):
    services(w, (1, "wrong.test"))
    w["dns"].set("www.test", "A")
    s.equal(ask(w, fetch).code, 60, "a certificate of another name")
    s.equal(ask(w, fetch, "-k").body, b"wron wrong.test.", "but with -k")
    got = fetch("--cacert", s.path("none"), "--no-remember",
                f"https://www.test:{w['port']}/x")
    s.equal(got.code, 77, "no such file of authorities")
    services(w, (1, "silent.test"))
    got = ask(w, fetch, "--connect-timeout", "0.5")
    s.equal(got.code, 28, "nobody finishes the handshake")
    got = ask(w, fetch, "--max-time", "0.5")
    s.equal(got.code, 28, "nor in the time for all")


def test(s):
    """braid-fetch and HTTPS records: order, race up to the handshake, what is
    left out, hints, aliases."""
    w = world(s)
    fetch = Fetch(s, w["dns"].text)
    for part in (by_priority, unusable, hints, alias, certificates):
        part(s, w, fetch)


scenario.run(test)
