#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.downloads import RESET, WHOLE, Download, open_reader
from lib.range_faults import corrupted
from lib.range_origin import Entity, Library, RangeOrigin

MIB = 1 << 20
SIZE = 8 * MIB + 11


def test(s):
    """With verify: repr-digest a server that has other bytes under the same
    tag is noticed: by its own digest it is left alone; where it says none, or
    the same, the client gets no whole answer. What has no digest comes from
    one server."""
    library = Library()
    state = {"lies": None}

    def trouble(server, _request, answer):
        if state["lies"] is None:
            return
        if state["lies"] == "no digest":
            answer.set("Repr-Digest", None)
            return
        if server is not origins[0]:
            return
        said = [v for k, v in answer.fields if k == "Repr-Digest"]
        answer.entity = Entity(corrupted(answer.entity).content,
                               answer.entity.etag)
        answer.set("Repr-Digest",
                   said[0] if state["lies"] == "the same digest" else None)

    origins = [RangeOrigin(s, library, trouble, rate_bps=16 * MIB,
                           digests=True) for _ in range(3)]
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "p"}},
        "pools": {"p": {
            "balance": "rr",
            "servers": {f"s{i}": {"address": o.text}
                        for i, o in enumerate(origins)},
            "shard": {"range": "on", "min_size": "1MiB", "piece": "256KiB",
                      "verify": "repr-digest"}}}})

    def get(path):
        for o in origins:
            o.requests.clear()
        entity = library.find(path)
        sock, reader = open_reader(f"127.0.0.1:{port}")
        try:
            sock.sendall(
                f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            return Download().read(
                reader, [entity.content, corrupted(entity).content])
        finally:
            sock.close()

    def pieces():
        return sum(r[2] is not None for o in origins for r in o.requests)

    got = get(f"/good/{SIZE}")
    s.equal((got.end, len(got.right)), (WHOLE, 1), "the same everywhere")
    s.check(pieces() > 0, "in pieces")
    state["lies"] = "no digest"
    got = get(f"/undigested/{SIZE}")
    s.equal((got.end, len(got.right), pieces()), (WHOLE, 1, 0),
            "without a digest: from one server")
    for lie in ("the same digest", "none of its own"):
        state["lies"] = lie
        ends = set()
        for i in range(60):
            if i >= 6 and RESET in ends:
                break
            got = get(f"/{lie.replace(' ', '-')}-{i}/{SIZE}")
            s.check(got.end == RESET or got.right, f"{lie}: {got}")
            ends.add(got.end)
        s.check(RESET in ends, f"{lie}: it was noticed")
    s.until(lambda: any("Repr-Digest" in line.get("error", "")
                        for line in b.flows()), "the log says why")
    b.stop()


scenario.run(test)
