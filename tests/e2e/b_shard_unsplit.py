#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, open_reader
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

LARGE, SMALL, TINY = 1 << 20, 1 << 18, 1 << 12
SHARD = {"range": "on", "min_size": "512KiB", "piece": "128KiB", "max": 2}


def weak(_server, _request, answer):
    answer.set("ETag", 'W/"same"')


def no_ranges(_server, _request, answer):
    answer.set("Accept-Ranges", None)


def chunked(_server, _request, answer):
    answer.chunked = True


CASES = [
    # name, pool, size, field of the request, unsplit
    ("a large file", "good", LARGE, None, None),
    ("less than min_size", "good", SMALL, None, "small"),
    ("so small that nobody wonders", "good", TINY, None, None),
    ("a condition", "good", LARGE, 'If-None-Match: "other"', "request"),
    ("the last bytes", "good", LARGE, "Range: bytes=-600000", "request"),
    ("a weak tag", "weak", LARGE, None, "validator"),
    ("no ranges", "no-ranges", LARGE, None, "ranges"),
    ("chunked", "chunked", LARGE, None, "length"),
    ("no digest", "digest", LARGE, None, "digest"),
]


def test(s):
    """The access log says why a large answer came from one server."""
    library = Library()
    troubles = {"good": None, "weak": weak, "no-ranges": no_ranges,
                "chunked": chunked, "digest": None}
    ports, pools = {}, {}
    for name, trouble in troubles.items():
        ports[name] = s.port()
        origins = [RangeOrigin(s, library, trouble) for _ in range(2)]
        pools[name] = {"shard": dict(SHARD), "servers": {
            f"s{i}": {"address": o.text} for i, o in enumerate(origins)}}
    pools["digest"]["shard"]["verify"] = "repr-digest"
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{p}", "pool": n}
                      for n, p in ports.items()}, "pools": pools})
    for i, (what, pool, size, field, unsplit) in enumerate(CASES):
        path = f"/{i}/{size}"
        sock, reader = open_reader(("127.0.0.1", ports[pool]))
        with sock:
            sock.sendall(request(f"GET {path} HTTP/1.1",
                                 *([field] if field else [])))
            got = Download().read(reader, [library.find(path).content])
        line = b.wait_flows(1, target=path)[0]
        s.equal((got.end, line.get("unsplit")), (WHOLE, unsplit), what)
        s.equal("shards" in line, not unsplit and size == LARGE,
                f"{what}: split or not")
    b.stop()


scenario.run(test)
