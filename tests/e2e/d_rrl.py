#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import random
import socket
import struct
import threading

from lib import scenario
from lib.ask import Answer, COOKIE, ask, query, send_udp
from lib.braidd import Braid
from lib.netns import Namespace
from lib.process import Failure, wait_until
from lib.resolvers import ROOT_ZONE, Resolver

SERVER = ("127.0.0.1", 53)
RATE = 5
SOURCES = 100_000
# Sources are anywhere in the first; the second is whose they mostly are.
EVERYWHERE, VICTIM = "10.0.0.0", "10.9.9.0"
RECORDS = ["@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
           "ns1 A 127.0.0.1", *(f"h{i} A 192.0.2.{i}" for i in range(1, 250))]
GREW_MAX_KIB = 16 << 10  # the table of the limits has 4 MiB


def forged(source, message):
    """An IPv4 datagram with any source; the kernel fills in the rest."""
    udp = struct.pack("!HHHH", 4053, SERVER[1], 8 + len(message), 0) + message
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, 17, 0,
                       socket.inet_aton(source),
                       socket.inet_aton(SERVER[0])) + udp


def address(network, n):
    base = struct.unpack("!I", socket.inet_aton(network))[0]
    return socket.inet_ntoa(struct.pack("!I", base + n))


class Flood:
    """Queries whose sources are forged, until it is ended: SOURCES of them
    each from somewhere else, between twice as many in the victim's name."""

    def __init__(self, s, space):
        self.message = query("h1.cdn.example")
        self.sent, self._end = 0, False
        self._sock = space.inside(lambda: socket.socket(
            socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW))
        s.defer(self._sock.close)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        s.defer(self.end)

    def _run(self):
        rng = random.Random(7)
        everywhere = iter(rng.sample(range(1 << 24), SOURCES))
        while not self._end:
            n = next(everywhere, None)
            if n is not None:
                self._send(address(EVERYWHERE, n))
            for _ in range(2):
                self._send(address(VICTIM, rng.randrange(256)))
            self.sent += n is not None

    def _send(self, source):
        self._sock.sendto(forged(source, self.message), SERVER)

    def end(self):
        self._end = True
        self._thread.join(10)


def resident_kib(b):
    with open(f"/proc/{b.pid}/status", encoding="ascii") as f:
        return int(next(line for line in f
                        if line.startswith("VmRSS")).split()[1])


def patient(asking):
    """As clients do: again when a datagram is lost in full buffers."""
    for _ in range(20):
        try:
            return asking()
        except TimeoutError:
            continue
    raise Failure("no answer in twenty tries")


def asked_from(space, source, name, **more):
    return patient(lambda: Answer(space.inside(lambda: send_udp(
        SERVER, query(name, **more), source, 1))))


def others_are_answered(s, space):
    """Clients of another network, below their rate, in the flood."""
    for i in range(1, 41):
        answer = asked_from(space, f"172.16.{i}.1", f"h{i}.cdn.example")
        if answer.tc or answer.data("A") != [f"192.0.2.{i}"]:
            raise Failure(f"client {i}: TC {answer.tc}, {answer.answer}")
    s.check(True, "40 clients of other networks: each has its answer")


def cookie_is_not_limited(s, space):
    """More than the rate, from the victim's network."""
    source = address(VICTIM, 77)
    client = b"8 bytes."
    first = space.inside(lambda: ask(SERVER, "h1.cdn.example", tcp=True,
                                     source=source, options=[(COOKIE, client)]))
    cookie = first.options[COOKIE]
    for _ in range(10 * RATE):
        answer = asked_from(space, source, "h1.cdn.example",
                            options=[(COOKIE, cookie)])
        if answer.tc:
            raise Failure("a valid cookie is limited")
    s.check(True, f"{10 * RATE} answers to a valid cookie of the victim's")


def test(s):
    """A flood from 100,000 forged sources of a /8, most of it in one network's
    name: that network gets little, memory does not grow, others have their
    answers, and a resolver of the victim's comes by TCP."""
    s.need("unbound")
    space = Namespace(s)
    for network in (f"{EVERYWHERE}/8", "172.16.0.0/12"):
        space.ip("route", "add", "local", network, "dev", "lo")
    b = Braid(s, {"dns": {
        "bind": "127.0.0.1:53", "rrl": {"rate": f"{RATE}/s", "slip": 2},
        "zones": {".": {"records": ROOT_ZONE},
                  "cdn.example": {"records": RECORDS}}}},
        namespace=space, ambient="net_bind_service")
    space.inside(lambda: ask(SERVER, "h1.cdn.example"))
    before = resident_kib(b)
    flood = Flood(s, space)

    wait_until(lambda: flood.sent > SOURCES // 10, "the flood")
    others_are_answered(s, space)
    cookie_is_not_limited(s, space)
    resolver = Resolver(s, space, "unbound", "127.0.7.2",
                        outgoing=address(VICTIM, 9))
    for i in range(1, 21):
        name = f"h{i}.cdn.example"
        answer = resolver.known(name)
        if answer.data("A") != [f"192.0.2.{i}"]:
            raise Failure(f"through the victim's resolver: {answer.rcode}")
    s.check(True, "20 names through the victim's own resolver")
    s.until(lambda: flood.sent == SOURCES, f"{SOURCES} sources", 60)
    flood.end()
    m = space.inside(b.metrics)
    asked, dropped, slipped, by_tcp = (
        m.value(f"braid_dns_{name}_total") for name in (
            "queries_udp", "socket_udp_rate_dropped",
            "socket_udp_rate_slipped", "queries_tcp"))
    s.say(f"of {asked:.0f} queries over UDP {dropped:.0f} got no answer, "
          f"{slipped:.0f} a cut one; {by_tcp:.0f} came over TCP")
    # Two of three ask in the victim's name, and what the kernel had no room for
    # was anybody's.
    s.check(dropped > asked / 5 and slipped > asked / 5,
            "most answers to the victim were held back")
    # One is the cookie's; the resolver has luck with some.
    s.check(by_tcp > 3, "what was cut came by TCP")
    grew = resident_kib(b) - before
    s.say(f"memory grew by {grew} KiB")
    s.check(grew <= GREW_MAX_KIB, "memory stays bounded")
    b.stop()


scenario.run(test)
