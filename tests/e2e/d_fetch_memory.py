#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import stat
import subprocess

from lib import scenario
from lib.fetch import Fetch, Pops

PATH = "/a/1000"


def winner(s, pops, fetch):
    """It goes first while it is named, and is forgotten when it fails."""
    t1, t2, t3 = pops.texts
    pops.origins[0].kill()
    got = fetch(pops.url(PATH))
    s.equal(got.addresses("connected"), [t2], "the second wins")
    s.check(f" {t2}\n" in fetch.remembered(), "and is remembered")
    s.equal(stat.S_IMODE(os.stat(fetch.state).st_mode), 0o600,
            "for the user only")
    pops.origins[0].revive()
    got = fetch(pops.url(PATH))
    s.equal(got.addresses("order"), [t2, t1, t3], "it goes first")
    s.equal(got.addresses("connected"), [t2], "and wins")
    got = fetch("--no-remember", pops.url(PATH))
    s.equal(got.addresses("connected"), [t1], "not with --no-remember")
    pops.origins[1].kill()
    got = fetch(pops.url(PATH))
    s.equal((got.code, got.addresses("connected")), (0, [t1]),
            "it is dead: the first wins")
    s.check(t2 not in fetch.remembered(), "it is forgotten")
    pops.dns.set("www.test", "CNAME", *pops.names[1:])
    pops.origins[1].revive()
    got = fetch(pops.url(PATH))
    s.equal(got.addresses("order"), [t2, t3],
            "what is not named any more does not go first")
    pops.dns.set("www.test", "CNAME", *pops.names)


def other_resource(s, pops, fetch):
    """Another name is remembered apart."""
    pops.dns.set("more.test", "CNAME", *reversed(pops.names))
    fetch(pops.url(PATH, "more.test"))
    text = fetch.remembered()
    s.check(f"http://more.test:{pops.port}@127.0.0.0/24 " in text and
            f"http://www.test:{pops.port}@127.0.0.0/24 " in text,
            "name and network are the key")


def broken(s, pops, fetch):
    for text in (b"", b"\0\xff\n\nwinner\n" * 50, b"x" * 3_000_000):
        with open(fetch.state, "wb") as f:
            f.write(text)
        s.equal(fetch(pops.url(PATH)).code, 0,
                f"with a broken file of {len(text)} bytes")
        s.check(len(fetch.remembered()) < 200, "it is made anew")
    os.unlink(fetch.state)
    os.mkdir(fetch.state)
    got = fetch(pops.url(PATH))
    s.equal(got.code, 0, "with a folder in its place")
    s.check("nothing is remembered" in got.said, "it says so")
    os.rmdir(fetch.state)


def spread(s, pops, fetch):
    """Weights 3, 2, 1 by rank; many at once take each turn once."""
    fetch.forget()
    got = [fetch("--spread", "-w", "%{pop}", "-o", "/dev/null",
                 pops.url(PATH)).body.decode() for _ in range(6)]
    s.equal(got, [f"pop{i}.test." for i in (1, 2, 1, 3, 2, 1)],
            "smooth weighted turns")
    running = [subprocess.Popen(
        [fetch.program, "--dns", fetch.dns, "--spread", "-w", "%{pop} ",
         "-o", "/dev/null", pops.url(PATH)], env=fetch.env,
        stdout=subprocess.PIPE) for _ in range(12)]
    words = sorted(w for p in running
                   for w in p.communicate(timeout=60)[0].decode().split())
    s.equal([words.count(f"pop{i}.test.") for i in (1, 2, 3)], [6, 4, 2],
            "of twelve at once")
    pops.origins[0].kill()
    got = fetch("--spread", pops.url(PATH))
    s.equal(got.code, 0, "whose turn it is may be dead")


def test(s):
    """braid-fetch remembers winners and turns, whatever becomes of the
    file."""
    pops = Pops(s)
    pops.dns.set("www.test", "CNAME", *pops.names)
    fetch = Fetch(s, pops.dns.text)
    for part in (winner, other_resource, broken, spread):
        part(s, pops, fetch)


scenario.run(test)
