#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.content import Content
from lib.fetch import Fetch, Pops

PATH = "/a/100000"


def order(s, pops, fetch):
    """Several CNAMEs at one name are places in their order."""
    pops.dns.set("www.test", "CNAME", "pop3.test", "pop1.test", "pop2.test")
    got = fetch("--literal", "--no-remember", pops.url(PATH))
    s.equal(got.code, 0, "exit status")
    s.check(got.body == Content(PATH, 100000).bytes(), "the bytes")
    t1, t2, t3 = pops.texts
    s.equal(got.addresses("order"), [t3, t1, t2], "the order of the answer")
    s.equal(got.addresses("connected"), [t3], "the first has won")
    s.equal(pops.n_requests(), [0, 0, 1], "nobody else was asked")


def cut_short(s, pops, fetch):
    pops.dns.truncate = True
    before = pops.dns.over_tcp
    got = fetch("--literal", "--no-remember", "-o", s.path("out"),
                pops.url(PATH))
    s.equal(got.code, 0, "an answer that is cut short is asked for over TCP")
    s.check(pops.dns.over_tcp > before, "TCP was used")
    s.equal(got.addresses("connected"), [pops.texts[2]], "the same winner")
    pops.dns.truncate = False


def damaged(s, pops, fetch):
    """What is no answer is passed over, whoever may have sent it."""
    def junk(data):
        other = bytes([data[0] ^ 1]) + data[1:2] + b"\x85\x80" + data[4:]
        return [b"", b"\0", data, other, os.urandom(400),
                data[:2] + b"\x85\x80" + data[4:12] + b"\xc0\x0c\0\1\0\1",
                data[:2] + b"\x85\x80\xff\xff" + data[6:]]
    pops.dns.before = junk
    got = fetch("--literal", "--no-remember", "-o", s.path("out"),
                pops.url(PATH))
    s.equal((got.code, got.addresses("connected")), (0, [pops.texts[2]]),
            "junk before the answer")
    pops.dns.before = None


def dead(s, pops, fetch):
    """The ones before are dead: refused, so the next one at once."""
    pops.origins[2].kill()
    pops.origins[0].kill()
    got = fetch("--literal", "--no-remember", pops.url(PATH))
    s.equal(got.code, 0, "exit status with two dead POPs")
    s.check(got.body == Content(PATH, 100000).bytes(), "the bytes")
    s.equal(got.addresses("failed"), [pops.texts[2], pops.texts[0]],
            "two have failed")
    s.equal(got.addresses("connected"), [pops.texts[1]], "the third has won")
    pops.origins[1].kill()
    got = fetch("--literal", "--no-remember", pops.url(PATH))
    s.equal(got.code, 7, "all are dead: no connection")
    s.check("(7) www.test:" in got.said, "it says so")
    for origin in pops.origins:
        origin.revive()


def own_servers(s, pops, fetch):
    """What the zone's own server does not know, it does not find."""
    pops.dns.set("gone.test", "CNAME", "a.else.test", "b.else.test")
    got = fetch("--literal", pops.url(PATH, "gone.test"))
    s.equal(got.code, 6, "targets without addresses")
    got = fetch("--literal", pops.url(PATH, "none.test"))
    s.equal(got.code, 6, "no such name")


def test(s):
    """braid-fetch --literal: several CNAMEs, in order, from dead to alive."""
    pops = Pops(s)
    fetch = Fetch(s, pops.dns.text)
    order(s, pops, fetch)
    cut_short(s, pops, fetch)
    damaged(s, pops, fetch)
    dead(s, pops, fetch)
    own_servers(s, pops, fetch)


scenario.run(test)
