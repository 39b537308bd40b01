#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.content import Comparer, Content
from lib.http1 import Reader
from lib.range_origin import Entity, Library, RangeOrigin

MIB = 1 << 20
PIECE = 256 << 10


def test(s):
    """Who has asked for something large gets it in pieces from the first byte
    on the next time, and never notices: also where the server has forgotten
    ranges since, or the file is small, gone, or another."""
    library = Library()
    trouble = {}
    origins = [RangeOrigin(s, library, rate_bps=32 * MIB,
                           trouble=lambda *a: trouble.get("now", ok)(*a))
               for _ in range(2)]
    port = s.port()
    b = Braid(s, {
        "global": {"workers": 1},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "p"}},
        "pools": {"p": {
            "servers": {f"s{i}": {"address": o.text}
                        for i, o in enumerate(origins)},
            "shard": {"range": "on", "min_size": "1MiB", "piece": "256KiB"}}}})
    sock = client.connect(f"127.0.0.1:{port}")
    s.defer(sock.close)
    reader = Reader(sock.recv)
    path = "/film"

    def get(what):
        for o in origins:
            o.requests.clear()
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        head = reader.final_head()
        entity = library.entities.get(path)
        if head.status not in (200, 206) or entity is None:
            reader.body(head, "GET", lambda _: None)
            return head
        seen = Comparer(entity.content)
        reader.body(head, "GET", seen)
        s.equal((head.status, seen.n, seen.wrong_at,
                 head.get("Content-Range")), (200, entity.size, None, None),
                f"{what}: the whole of it")
        return head

    def asked(range_):
        return sum(r[2] == range_ for o in origins for r in o.requests)

    def counted(name):
        return b.metrics().total(f"braid_shard_{name}_total")

    first = f"bytes=0-{PIECE - 1}"
    library.entities[path] = Entity(Content("one", 6 * MIB + 5))
    get("the first time")
    s.equal(asked(None), 1, "home was asked for all of it")
    get("the second time")
    s.equal((asked(None), asked(first)), (0, 1), "for a piece")
    s.equal(counted("injections"), 1, "injections counted")

    library.entities[path] = Entity(Content("two", 4 * MIB), '"two"')
    get("another one")
    s.equal(asked(first), 1, "asked as a piece")
    library.entities[path] = Entity(Content("three", 1000), '"three"')
    get("a small one")
    s.equal(asked(first), 1, "asked as a piece")
    get("the small one again")
    s.equal((asked(None), asked(first)), (1, 0), "now as the client did")

    library.entities[path] = Entity(Content("four", 5 * MIB), '"four"')
    get("large again")
    trouble["now"] = weak
    get("a weak tag")
    s.equal((asked(first), asked(None)), (1, 1), "asked twice")
    s.equal(counted("injections_vain"), 1, "injections in vain counted")
    trouble["now"] = ok
    get("as it was")
    trouble["now"] = whole
    get("no ranges any more")
    s.equal((asked(first), asked(None)), (1, 0), "the whole was taken")
    trouble["now"] = ok
    del library.entities[path]
    s.equal(get("gone").status, 404, "gone")
    b.stop()


def ok(_server, _request, _answer):
    return None


def weak(_server, _request, answer):
    answer.set("ETag", "W/" + answer.entity.etag)


def whole(_server, _request, answer):
    answer.status, answer.first, answer.end = 200, 0, answer.entity.size
    answer.set("Content-Range", None)
    answer.set("Accept-Ranges", None)


scenario.run(test)
