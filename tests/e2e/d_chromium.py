#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import re
import socket
import ssl

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.certificates import Authority, over_tls, server_context
from lib.chromium import BUILT_IN, SYSTEM, Chromium
from lib.netns import Namespace
from lib.origins import Origin, listen
from lib.process import wait_until
from lib.resolvers import ROOT_ZONE, Resolver

ZONE = ["@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
        "ns1 A 127.0.0.1"]
POPS = {f"pop{i}": f"127.0.10.{i}" for i in (1, 2, 3)}
SERVER = ("127.0.0.1", 53)


class Pop:
    """An https server whose page is its name; `datagrams` are those that
    came to its UDP port, where QUIC would begin."""

    def __init__(self, s, space, context, name):
        self.name, address = name, (POPS[name], 443)
        self.origin = Origin(s, over_tls(context, self._talk), address,
                             space.inside(lambda: listen(address)))
        self._udp = space.inside(
            lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._udp.bind(address)
        s.defer(self._udp.close)

    def datagrams(self):
        """How many came since it was asked last."""
        n = 0
        try:
            while self._udp.recv(65536, socket.MSG_DONTWAIT):
                n += 1
        except BlockingIOError:
            return n

    def _talk(self, tls, _number):
        data = b""
        while b"\r\n\r\n" not in data:
            more = tls.recv(65536)
            if not more:
                return
            data += more
        page = f'<p id="pop">{self.name}</p>'.encode()
        tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s"
                    % (len(page), page))
        try:
            tls.unwrap()
        except (OSError, ssl.SSLError):
            pass


def config(health=None):
    pops = list(POPS)
    more = {"health": health, "slow_start": 0} if health else {}
    rank = {"mode": "rank", "pops": pops, "n": 3, "alpn": ["h2"], "ttl": "5s"}
    return {
        "dns": {"bind": "127.0.0.1:53", "zones": {
            ".": {"records": ROOT_ZONE},
            "cdn.example": {"records": ZONE, "resources": {
                "shop": {"pops": pops, "alpn": ["h2"]},
                "top": rank, "quic": {**rank, "alpn": ["h3", "h2"]},
                "many": {"mode": "addrs", "pops": pops, "n": 3}}}}},
        "pops": {name: {"addresses": [address], **more}
                 for name, address in POPS.items()}}


class World:
    def __init__(self, s):
        self.s, self.space = s, Namespace(s)
        pair = Authority(s).issue("pops", "DNS:*.cdn.example")
        self.browser = Chromium(s, self.space, pair[0])
        s.say(self.browser.version)
        context = server_context(pair)
        context.set_alpn_protocols(["http/1.1"])
        self.pops = {name: Pop(s, self.space, context, name) for name in POPS}
        self.b = Braid(s, config(), namespace=self.space,
                       ambient="net_bind_service")

    def ask(self, name, kind="A", source=None):
        return self.space.inside(
            lambda: ask(SERVER, f"{name}.cdn.example", kind, source=source))

    def first(self, name, source):
        """The POP that braidd names first to that resolver."""
        address = self.ask(name, source=source).data("A")[0]
        return next(p for p, text in POPS.items() if text == address)

    def resolvers(self):
        """One resolver a POP that `shop` sends it to."""
        found = {}
        for i in range(2, 250):
            source = f"127.0.{i}.2"
            found.setdefault(self.first("shop", source), source)
            if len(found) == len(POPS):
                break
        return [Resolver(self.s, self.space, "unbound", source)
                for _, source in sorted(found.items())]

    def visit(self, url, resolver, *options):
        """Which POP's page it got (None: no page), and the types that it
        asked the resolver for."""
        seen = len(resolver.process.output())
        name = url.split("/")[2].split(".")[0]
        page = self.browser.page(url, resolver.address[0], *options)
        # Questions are read in their order: this one is the last.
        resolver.ask("ns1.cdn.example")
        found = re.search(r'<p id="pop">(\w+)</p>', page)
        asked = re.findall(rf" {name}\.cdn\.example\. (\w+) IN",
                           resolver.process.output()[seen:])
        return found and found[1], sorted(set(asked))

    def told(self, name, resolver):
        """The POP that both braidd and the resolver name; None while they
        differ, as a resolver's answer may be some seconds old."""
        direct = self.first(name, resolver.address[0])
        cached = resolver.ask(f"{name}.cdn.example").data("A")
        return direct if cached == [POPS[direct]] else None

    def goes_where_told(self, name, resolver, mode):
        """Of a resolver's clients those of a resource move by themselves
        every ten minutes: should that fall into the visit, it is repeated."""
        for _ in range(3):
            want = wait_until(lambda: self.told(name, resolver),
                              f"the resolver and braidd to agree on {name}")
            got, asked = self.visit(f"https://{name}.cdn.example/", resolver,
                                    mode)
            if self.told(name, resolver) == want:
                break
        self.s.equal(got, want, f"{name}, resolver {resolver.address[0]}, "
                     f"{mode}: the page is of the POP that braidd names")
        return want, asked


def pick_and_rank(s, w, resolvers):
    for r in resolvers:
        w.goes_where_told("shop", r, BUILT_IN)
    r = resolvers[0]
    _, asked = w.goes_where_told("shop", r, SYSTEM)
    s.say(f"system's resolver: asked for {asked}")
    pop, asked = w.goes_where_told("top", r, BUILT_IN)
    s.check("HTTPS" in asked, f"built-in resolver: asked for {asked}")
    best = min(r.ask("top.cdn.example", "HTTPS").data("HTTPS"))
    s.equal(best[:2], (1, f"top--{pop}.cdn.example."),
            "and SvcPriority 1 is that POP")


def records(s, w, r):
    """Nobody listens at port 80: a page is there only if the HTTPS record
    made https of http."""
    plain = "--disable-features=HttpsUpgrades"
    for name in ("shop", "top"):
        # It waits for the record no longer than a while, beside load too.
        s.until(lambda: w.visit(f"http://{name}.cdn.example/", r, BUILT_IN,
                                plain)[0],
                f"{name}: http:// becomes https:// by its HTTPS record", 60)
    got, _ = w.visit("http://many.cdn.example/", r, BUILT_IN, plain)
    s.equal(got, None, "many: without such a record it does not")
    for pop in w.pops.values():
        pop.datagrams()
    w.goes_where_told("quic", r, BUILT_IN)
    s.say("alpn h3, datagrams to the POPs: "
          f"{[p.datagrams() for p in w.pops.values()]}")


def dead(s, w, r):
    """The POP that `top` names first is gone, then another one too."""
    gone = wait_until(lambda: w.told("top", r), "an answer")
    w.pops[gone].origin.down()
    got, _ = w.visit("https://top.cdn.example/", r, BUILT_IN)
    s.say(f"rank, {gone} is dead and named first: page of {got}")
    other, left = (p for p in POPS if p != gone)
    w.pops[other].origin.down()
    for _ in range(2):
        got, _ = w.visit("https://many.cdn.example/", r, BUILT_IN)
        s.equal(got, left, "addrs: two of three are dead, page of")
    w.b.reload(config({"type": "tcp", "interval": "200ms",
                       "timeout": "100ms", "port": 443}))
    s.until(lambda: w.told("top", r) == left,
            "health checks: the answer names the one that is left", 60)
    pop, _ = w.goes_where_told("top", r, BUILT_IN)
    s.equal(pop, left, "rank: page of")


def test(s):
    """Chromium reaches the POP that braidd's answer to its resolver names,
    through pick and rank; what it makes of HTTPS records and of a dead POP."""
    w = World(s)
    resolvers = w.resolvers()
    s.equal(len(resolvers), len(POPS), "a resolver of each POP")
    pick_and_rank(s, w, resolvers)
    records(s, w, resolvers[0])
    dead(s, w, resolvers[0])
    w.b.stop()


scenario.run(test)
