#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import glob
import os

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.netns import Namespace
from lib.process import Failure, Skip
from lib.resolvers import AD, RD, ROOT_ZONE, Anchor, Resolver
from lib.scenario import NAMELESS

ZONE = "cdn.example"
SERVER = ("127.0.0.1", 53)
POPS = ["p1", "p2", "p3"]
RECORDS = ["@ SOA ns1 hostmaster 7 3600 600 86400 60", "@ NS ns1",
           "ns1 A 127.0.0.1", "www A 192.0.2.1"]
QUESTIONS = {"www A": "NOERROR", "shop A": "NOERROR", "top HTTPS": "NOERROR",
             "shop--p1 A": "NOERROR", "nothing A": "NXDOMAIN",
             "www MX": "NOERROR", "@ SOA": "NOERROR"}


class Clock:
    """What time it is for some programs: that of the machine and more."""

    def __init__(self, s, name):
        found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        if not found:
            raise Skip("needs libfaketime")
        self._s, self._name = s, name
        self.advance("0")
        # As the sanitizer's library has to be the first otherwise.
        self.asan = ":verify_asan_link_order=0"
        self.prefix = ["env", f"LD_PRELOAD={found[0]}",
                       f"FAKETIME_TIMESTAMP_FILE={s.path(name)}",
                       "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"]

    def advance(self, by):
        """To "8d", of the machine's."""
        path = self._s.write(f"{self._name}.new", f"+{by}\n")
        os.replace(path, self._s.path(self._name))


def make_key(s, zone):
    path = s.path(f"{zone}.key")
    done = s.run([os.path.join(s.bin, "braidctl"), "dns", "key", zone,
                  f"{path}.new"])
    os.chown(f"{path}.new", NAMELESS, NAMELESS)
    os.replace(f"{path}.new", path)
    return path, done.stdout.split(" DS ")[1].strip()


def config(root, key, ds):
    return {
        "dns": {"bind": "127.0.0.1:53", "zones": {
            ".": {"records": ROOT_ZONE + [f"{ZONE}. DS {ds}"],
                  "dnssec": {"key": root}},
            ZONE: {"records": RECORDS, "dnssec": {"key": key}, "resources": {
                "shop": {"pops": POPS},
                "top": {"mode": "rank", "pops": POPS, "alpn": "h2"}}}}},
        "pops": {pop: {"addresses": [f"192.0.2.{i}0"]}
                 for i, pop in enumerate(POPS, 1)}}


def serial_of(space):
    data = space.inside(lambda: ask(SERVER, ZONE, "SOA")).data("SOA")[0]
    return int.from_bytes(data[-20:-16], "big")


class Validators:
    """A fresh one each time, with nothing in its cache."""

    def __init__(self, s, space):
        self.s, self.space, self.n = s, space, 0

    def all_are(self, what, clock, wanted_rcode=None):
        """Whether each question is secure, or gets that rcode."""
        self.n += 1
        data = self.space.inside(lambda: ask(
            SERVER, ".", "DNSKEY", dnssec=True)).data("DNSKEY")[0]
        resolver = Resolver(self.s, self.space, "unbound",
                            f"127.0.{self.n}.2", [Anchor(".", data)],
                            prefix=clock.prefix)
        for question, rcode in QUESTIONS.items():
            name, kind = question.split()
            name = ZONE if name == "@" else f"{name}.{ZONE}"
            answer = resolver.ask(name, kind, flags=RD | AD, dnssec=True)
            got = (answer.rcode, bool(answer.flags & AD))
            want = (wanted_rcode or rcode, wanted_rcode is None)
            if got != want:
                raise Failure(f"{question}: {got}, not {want}")
        self.s.check(True, what)
        resolver.process.end()


def test(s):
    """A zone is signed anew when the week is over, with a higher serial, and
    is valid to those whose time it is; signatures of before are not, once they
    have expired. With another key it is valid by the parent's new DS."""
    s.need("unbound")
    space = Namespace(s)
    clock, later = Clock(s, "clock"), Clock(s, "later")
    root, _ = make_key(s, ".")
    key, ds = make_key(s, ZONE)
    b = Braid(s, config(root, key, ds), namespace=space, asan=clock.asan,
              prefix=clock.prefix, ambient="net_bind_service")
    validators = Validators(s, space)
    first = serial_of(space)
    validators.all_are("all answers are secure", clock)
    later.advance("16d")
    validators.all_are("16 days later nothing is, as signatures have expired",
                       later, "SERVFAIL")

    s.say("-- two weeks later")
    clock.advance("14d")
    b.ctl("weight", "pop:p1", "90")  # has it look at the time
    s.until(lambda: len(b.events("zone signed anew")) == 2,
            "both zones are signed anew")
    second = serial_of(space)
    s.equal(second, first + 2, "the serial has risen by two weeks")
    validators.all_are("all answers are secure", clock)
    later.advance("20d")
    validators.all_are("also 20 days after the beginning", later)

    s.say("-- another key")
    key, ds = make_key(s, ZONE)
    b.reload(config(root, key, ds))
    validators.all_are("all answers are secure", clock)
    _, wrong = make_key(s, f"not.{ZONE}")
    b.reload(config(root, key, wrong))
    validators.all_are("with the DS of another one nothing is", clock,
                       "SERVFAIL")
    b.stop()


scenario.run(test)
