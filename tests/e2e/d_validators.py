#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 300
import contextlib
import itertools
import os
import socket
import threading

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.netns import Namespace
from lib.process import Failure, Skip, wait_until
from lib.resolvers import AD, KINDS, RD, ROOT_ZONE, Anchor, Resolver
from lib.scenario import NAMELESS, find_program

ZONE = "cdn.example"
# The most that a signed resource may have.
POPS = [f"p{i}" for i in range(1, 9)]
N = 3
SERVER = ("127.0.0.1", 53)
SOA = "@ SOA ns1 hostmaster 1 3600 600 86400 60"
RECORDS = [SOA, "@ NS ns1", "ns1 A 127.0.0.1", "www A 192.0.2.1",
           "www AAAA 2001:db8::1", "alias CNAME www", "lost CNAME nothing",
           "*.w TXT hello", "*.cw CNAME www", "a.b.c A 192.0.2.8",
           "old DNAME new", "x.new A 192.0.2.9", "open NS ns.open",
           "ns.open A 127.0.0.1", "safe NS ns.safe", "ns.safe A 127.0.0.1",
           "broken NS ns.broken", "ns.broken A 127.0.0.1"]
CHILD = [SOA, "@ NS ns", "ns A 127.0.0.1", "www A 192.0.2.99"]
# Question: rcode, whether it is secure, type of a record in the answer.
STATIC = {
    "www A": ("NOERROR", True, "A"), "www AAAA": ("NOERROR", True, "AAAA"),
    "@ SOA": ("NOERROR", True, "SOA"), "@ NS": ("NOERROR", True, "NS"),
    "@ DNSKEY": ("NOERROR", True, "DNSKEY"),
    "@ CDS": ("NOERROR", True, "CDS"),
    "@ CDNSKEY": ("NOERROR", True, "CDNSKEY"),
    "alias A": ("NOERROR", True, "A"),
    "alias MX": ("NOERROR", True, "CNAME"),  # nothing at its end
    "lost A": ("NXDOMAIN", True, "CNAME"),
    "any.thing.w TXT": ("NOERROR", True, "TXT"),  # a wildcard
    "any.thing.w MX": ("NOERROR", True, None),
    "any.cw A": ("NOERROR", True, "A"), "any.cw MX": ("NOERROR", True, "CNAME"),
    "nothing A": ("NXDOMAIN", True, None),
    "nothing.below.www A": ("NXDOMAIN", True, None),
    "www MX": ("NOERROR", True, None),
    "b.c A": ("NOERROR", True, None),  # exists for what is below it
    "x.old A": ("NOERROR", True, "DNAME"),
    "none.old A": ("NXDOMAIN", True, "DNAME"),
    "old DNAME": ("NOERROR", True, "DNAME"), "old A": ("NOERROR", True, None),
    "open DS": ("NOERROR", True, None), "www.open A": ("NOERROR", False, "A"),
    "nothing.open A": ("NXDOMAIN", False, None),
    "safe DS": ("NOERROR", True, "DS"), "www.safe A": ("NOERROR", True, "A"),
    "nothing.safe A": ("NXDOMAIN", True, None),
    "www.broken A": ("SERVFAIL", False, None),
    "pick--p1 A": ("NOERROR", True, "A"),
    "pick--p1 AAAA": ("NOERROR", True, "AAAA"),
    "pick--p1 HTTPS": ("NOERROR", True, "HTTPS"),
    "pick--p1 MX": ("NOERROR", True, None),
    "pick MX": ("NOERROR", True, "CNAME"),
    "rank MX": ("NOERROR", True, None), "addrs HTTPS": ("NOERROR", True, None),
    "_x._tcp A": ("NOERROR", True, None), "_tcp A": ("NOERROR", True, None),
}
# Of resources, whatever it is that this resolver gets.
DRAWN = {question: ("NOERROR", True, question.split()[1]) for question in (
    "pick A", "pick AAAA", "pick HTTPS", "rank HTTPS", "rank A", "rank AAAA",
    "addrs A", "addrs AAAA", "_x._tcp SRV")}
# What is drawn, and in how many ways.
SETS = [set(c) for n in range(1, N + 1)
        for c in itertools.combinations(POPS, n)]
ORDERS = list(itertools.permutations(POPS, N))


def full(name):
    return ZONE if name == "@" else f"{name}.{ZONE}"


def addresses(i):
    return [f"192.0.2.{10 * i}", f"2001:db8:{i}::1"]


POP_OF = {address: pop for i, pop in enumerate(POPS, 1)
          for address in addresses(i)}


def make_key(s, zone, program):
    """The file, and the DS record for the parent."""
    path = s.path(f"{zone}.key")
    done = s.run([program, "dns", "key", zone, path])
    os.chown(path, NAMELESS, NAMELESS)
    return path, done.stdout.split(" DS ")[1].strip()


def config(s):
    program = os.path.join(s.bin, "braidctl")
    root, _ = make_key(s, ".", program)
    key, ds = make_key(s, ZONE, program)
    safe, safe_ds = make_key(s, f"safe.{ZONE}", program)
    broken, _ = make_key(s, f"broken.{ZONE}", program)
    records = RECORDS + [f"safe DS {safe_ds}", f"broken DS {safe_ds}"]
    resource = {"pops": POPS, "n": N}
    return {
        "dns": {"bind": "127.0.0.1:53", "zones": {
            ".": {"records": ROOT_ZONE + [f"{ZONE}. DS {ds}"],
                  "dnssec": {"key": root}},
            f"open.{ZONE}": {"records": CHILD},
            f"safe.{ZONE}": {"records": CHILD, "dnssec": {"key": safe}},
            f"broken.{ZONE}": {"records": CHILD, "dnssec": {"key": broken}},
            ZONE: {
                "dnssec": {"key": key}, "records": records, "resources": {
                    "pick": {"pops": POPS, "alpn": "h2"},
                    "rank": {"mode": "rank", "alpn": "h2", **resource},
                    "addrs": {"mode": "addrs", **resource},
                    "_x._tcp": {"mode": "srv", "port": 5222, **resource}}}}},
        "pops": {pop: {"addresses": addresses(i)}
                 for i, pop in enumerate(POPS, 1)}}


# -- what an answer says -----------------------------------------------------

def pop_in(name):
    return name.split(".")[0].split("--")[1]


def chosen(answer, rr_type):
    """POPs, in their order where the answer has one."""
    data = answer.data(rr_type)
    if rr_type == "HTTPS":
        return tuple(pop_in(d[1]) for d in sorted(data) if d[1] != ".")
    if rr_type == "CNAME":
        return tuple(pop_in(d) for d in data)
    if rr_type == "SRV":
        return frozenset(pop_in(d[3]) for d in data)
    return frozenset(POP_OF[d] for d in data)


class Subnets:
    """A /24 that was not used before, each time."""

    def __init__(self):
        self._n = 0

    def fresh(self):
        self._n += 1
        return (f"{16 + self._n // 4096}.{self._n // 16 % 256}."
                f"{self._n % 16 * 16}.0/24")


class Asker:
    """Asks braidd itself for a client's answer, then a validator for the
    same client's."""

    def __init__(self, s, space, resolvers):
        self.s, self.space, self.resolvers = s, space, resolvers
        self.subnets = Subnets()
        self.asked = 0

    def drawn(self, name, asked, rr_type):
        """A subnet, and what braidd draws for it."""
        subnet = self.subnets.fresh()
        answer = self.space.inside(lambda: ask(
            SERVER, full(name), asked, ecs=subnet, dnssec=True, edns=4096,
            tcp=True))
        return subnet, chosen(answer, rr_type)

    def validated(self, name, asked, rr_type, subnet, want):
        for resolver in self.resolvers:
            self.asked += 1
            answer = resolver.known(full(name), asked, ecs=subnet,
                                    dnssec=True, flags=RD | AD, edns=4096)
            got = (answer.rcode, bool(answer.flags & AD))
            if got != ("NOERROR", True) or chosen(answer, rr_type) != want:
                raise Failure(f"{resolver.kind}: {name} {asked} of {want}: "
                              f"{got}, {answer.answer}")


def draw_all(asker, name, asked, rr_type, want):
    """Asks for other clients until each of `want` came once."""
    left, n = set(want), 0
    while left:
        n += 1
        if n > 200 * len(want):
            raise Failure(f"{name} {asked}: not drawn: {left}")
        subnet, got = asker.drawn(name, asked, rr_type)
        if got in left:
            left.remove(got)
            asker.validated(name, asked, rr_type, subnet, got)
    asker.s.check(True, f"{name} {asked}: all {len(want)} variants are secure")


def leave_only(b, pops, drained):
    """Drains all others; the new set of drained ones."""
    for pop in set(POPS) - pops - drained:
        b.ctl("drain", f"pop:{pop}")
    for pop in drained & pops:
        b.ctl("ready", f"pop:{pop}")
    return set(POPS) - pops


def draw_sets(asker, b):
    """Each set of POPs: two or three by draining all others, one beside
    another that has less weight, as an answer that is the same for all would
    come from the validator's cache."""
    drained = set()
    for pops in SETS:
        left = pops
        if len(pops) == 1:
            pop = min(pops)
            left = pops | {POPS[POPS.index(pop) - 1]}
            b.ctl("weight", f"pop:{pop}", "200")
        drained = leave_only(b, left, drained)
        for name, asked, rr_type in (("addrs", "A", "A"),
                                     ("addrs", "AAAA", "AAAA"),
                                     ("_x._tcp", "SRV", "SRV")):
            found = []

            def is_drawn():
                found[:] = asker.drawn(name, asked, rr_type)
                return found[1] == pops
            wait_until(is_drawn, f"{name} {asked} of {pops}", every=0)
            asker.validated(name, asked, rr_type, found[0], found[1])
        if len(pops) == 1:
            b.ctl("weight", f"pop:{pop}", "100")
    leave_only(b, set(POPS), drained)
    asker.s.check(True, f"addrs A, addrs AAAA, srv SRV: all {len(SETS)} sets "
                  "of each are secure")


def ask_all(s, resolver, questions, what):
    for question, (rcode, secure, there) in questions.items():
        name, kind = question.split()
        find = resolver.ask if rcode == "SERVFAIL" else resolver.known
        answer = find(full(name), kind, dnssec=True, flags=RD | AD, edns=4096)
        got = (answer.rcode, bool(answer.flags & AD))
        if got != (rcode, secure) or (there and not answer.data(there)):
            raise Failure(f"{resolver.kind}: {question}: {got}, not "
                          f"{rcode, secure, there}: {answer.answer} "
                          f"{answer.authority}")
    s.check(True, f"{resolver.kind}: {len(questions)} questions about {what}")


def anchor_of(space, zone):
    data = space.inside(lambda: ask(SERVER, zone, "DNSKEY",
                                    dnssec=True)).data("DNSKEY")
    return Anchor(zone, data[0])


class Forger:
    """A name server in the middle that changes one POP's address in whatever
    braidd says, and draws resolvers to itself by glue, which nobody signs."""

    address, forged = "127.0.0.9", POPS[0]

    def __init__(self, s, space):
        space.add_address(f"{self.address}/32")
        self._sock, self._ask = space.inside(self._sockets)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        s.defer(self._close)

    def _sockets(self):
        socks = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                 for _ in range(2)]
        socks[0].bind((self.address, 53))
        socks[1].connect(SERVER)
        return socks

    def _close(self):
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)  # wakes it, unlike close()
        self._thread.join(5)

    def _serve(self):
        packed = socket.inet_aton
        true = addresses(POPS.index(self.forged) + 1)[0]
        while True:
            message, client = self._sock.recvfrom(65535)
            if not message:
                return
            self._ask.send(message)
            answer = b""
            while answer[:2] != message[:2]:
                answer = self._ask.recv(65535)
            answer = answer.replace(packed(true), packed("198.51.100.66"))
            answer = answer.replace(packed(SERVER[0]), packed(self.address))
            self._sock.sendto(answer, client)


def refused(s, space, asker, anchor):
    """What shows that the validators look: records that somebody changed on
    the way, and keys that are not the zone's."""
    Forger(s, space)
    deceived = Resolver(s, space, "unbound", "127.0.8.2", [anchor],
                        root=Forger.address)
    told = {}
    while len(told) < len(POPS):
        subnet, (pop,) = asker.drawn("rank", "A", "A")
        find = deceived.ask if pop == Forger.forged else deceived.known
        answer = find(full("rank"), "A", ecs=subnet, flags=RD | AD,
                      dnssec=True)
        told.setdefault(pop, (answer.rcode, bool(answer.flags & AD)))
    s.equal(told, {pop: ("SERVFAIL", False) if pop == Forger.forged
                   else ("NOERROR", True) for pop in POPS},
            "the variant with a forged address is refused, the others are not")
    wrong = Anchor(".", anchor_of(space, f"safe.{ZONE}").key)
    distrustful = Resolver(s, space, "unbound", "127.0.9.2", [wrong])
    s.equal(distrustful.ask(full("www")).rcode, "SERVFAIL",
            "everything, where another key is trusted")


def test(s):
    """Validating resolvers find secure all that a signed zone says: each
    variant of each resource, data and absences; and refuse what they
    must."""
    s.need_root()
    there = [kind for kind in KINDS if find_program(KINDS[kind][0])]
    if "unbound" not in there:
        raise Skip("needs unbound")
    space = Namespace(s)
    b = Braid(s, config(s), namespace=space, ambient="net_bind_service")
    anchor = anchor_of(space, ".")
    resolvers = {kind: Resolver(s, space, kind, f"127.0.{i + 1}.2", [anchor])
                 for i, kind in enumerate(there)}
    for resolver in resolvers.values():
        ask_all(s, resolver, STATIC, "data, absences, wildcards, DNAME and "
                "delegations")
    # Those that ask with their client's subnet.
    asker = Asker(s, space, [resolvers[kind] for kind in
                             ("unbound", "PowerDNS Recursor")
                             if kind in resolvers])
    draw_all(asker, "pick", "A", "CNAME", [(pop,) for pop in POPS])
    draw_all(asker, "rank", "HTTPS", "HTTPS", ORDERS)
    for kind in ("A", "AAAA"):
        draw_all(asker, "rank", kind, kind, [frozenset([p]) for p in POPS])
    draw_sets(asker, b)
    s.say(f"{asker.asked} questions about resources")
    for resolver in resolvers.values():
        ask_all(s, resolver, DRAWN, "resources, without a subnet")
    refused(s, space, asker, anchor)
    b.stop()


scenario.run(test, limit_seconds=270)
