#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.content import Comparer, Content
from lib.fetch import Fetch, Pops
from lib.range_faults import Fault, _kill
from lib.range_origin import Entity

SIZE = 6_000_000
PATH = f"/big/{SIZE}"


class Dies:
    """Once, in the middle of what it says."""

    def __init__(self, act, at):
        self.act, self.at, self.left = act, at, 1

    def __call__(self, _server, _request, answer):
        if not self.left or answer.status not in (200, 206):
            return None
        self.left -= 1
        return Fault(self.act, self.at)


def fin(_server, wire, _answer, _at):
    wire.sock.shutdown(2)
    raise OSError("ended")


def is_whole(s, file):
    compare = Comparer(Content(PATH, SIZE))
    with open(s.path(file), "rb") as f:
        while data := f.read(1 << 20):
            compare(data)
    return compare.is_whole()


def begin(pops):
    for origin in pops.origins:
        origin.revive()
        origin.trouble = None
        origin.requests.clear()
    pops.library.entities.clear()


def two_deaths(s, pops, fetch):
    """The first is killed, the second ends early: the third has the rest."""
    begin(pops)
    pops.origins[0].trouble = Dies(_kill, 1_000_000)
    pops.origins[1].trouble = Dies(fin, 4_000_000)
    got = fetch("-o", s.path("out"), "-w", "%{resumed} %{size_download}",
                pops.url(PATH))
    s.equal(got.code, 0, "exit status")
    s.check(is_whole(s, "out"), "the file is identical")
    s.equal(got.body.decode(), f"2 {SIZE}", "resumed twice, nothing twice")
    s.equal(got.addresses("connected"), pops.texts, "from all three in turn")
    ranges = [origin.requests[-1][2] for origin in pops.origins]
    s.check(ranges[0] is None and ranges[1].startswith("bytes=") and
            ranges[2] == "bytes=4000000-", f"Range was asked for: {ranges}")


def not_ranges(s, pops, fetch):
    """One that does not do ranges, with the same tag: read from its start."""
    begin(pops)
    pops.origins[0].trouble = Dies(_kill, 1_000_000)

    def whole(_server, _request, answer):
        answer.status, answer.first, answer.end = 200, 0, SIZE
        answer.set("Content-Range", None)
        answer.set("Accept-Ranges", None)
    pops.origins[1].trouble = whole
    got = fetch("-o", s.path("out"), pops.url(PATH))
    s.equal(got.code, 0, "one without ranges goes on, too")
    s.check(is_whole(s, "out"), "the file is identical")
    s.equal(got.addresses("connected"), pops.texts[:2], "from the second")


def other_version(s, pops, fetch):
    """The second has another version and is left, the third goes on."""
    begin(pops)
    pops.origins[0].trouble = Dies(_kill, 1_000_000)
    other = Entity(Content("other", SIZE))

    def another(server, request, answer):
        new = server.of_entity(request, other)
        answer.__dict__.update(new.__dict__)
    pops.origins[1].trouble = another
    got = fetch("-o", s.path("out"), pops.url(PATH))
    s.equal(got.code, 0, "past another version")
    s.check(is_whole(s, "out"), "the file is identical")
    s.equal(got.addresses("connected"), pops.texts, "from first and third")
    pops.origins[0].revive()
    pops.origins[0].trouble = Dies(_kill, 1_000_000)
    pops.origins[2].trouble = another
    fetch.forget()
    got = fetch("-o", s.path("out"), pops.url(PATH))
    s.equal(got.code, 18, "the others have another version")
    s.check("another version" in got.said, "it says so")


def weak(s, pops, fetch):
    """Nobody can go on with a weak tag: what has come stays, and it is said."""
    begin(pops)
    pops.library.find(PATH).etag = 'W/"x"'
    pops.origins[0].trouble = Dies(_kill, 1_000_000)
    got = fetch("-o", s.path("out"), pops.url(PATH))
    s.equal(got.code, 18, "exit status with a weak tag")
    s.check("what has come stays" in got.said, "it says so")
    size = os.path.getsize(s.path("out"))
    s.check(size <= 1_000_000, f"a part is there: {size}")
    s.equal(pops.n_requests()[1:], [0, 0], "nobody else was asked")


def again(s, pops, fetch):
    """-C goes on with that part, and with a whole file has nothing to do."""
    begin(pops)
    with open(s.path("out"), "wb") as f:
        f.write(Content(PATH, SIZE).bytes(0, 123_456))
    pops.origins[0].trouble = Dies(_kill, 1_000_000)
    got = fetch("-C", "-", "-o", s.path("out"), pops.url(PATH))
    s.equal(got.code, 0, "-C")
    s.check(is_whole(s, "out"), "the file is identical")
    s.equal(pops.origins[0].requests[0][2], "bytes=123456-", "Range of -C")
    got = fetch("-C", "-", "-o", s.path("out"), pops.url(PATH))
    s.equal(got.code, 0, "-C with a whole file")
    s.check(is_whole(s, "out"), "the file is still identical")


def test(s):
    """braid-fetch goes on elsewhere in the middle of a download, or says why
    not."""
    pops = Pops(s)
    pops.dns.set("www.test", "CNAME", *pops.names)
    fetch = Fetch(s, pops.dns.text)
    for part in (two_deaths, not_ranges, other_version, weak, again):
        fetch.forget()
        part(s, pops, fetch)


scenario.run(test)
