#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, nothing_left, open_reader
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

SIZE, SERVERS = 24 << 20, 4
STEP = 2 << 20  # so many bytes come from each of them alone


class Restarts:
    """All servers but one are dead, and which one it is goes round as the
    download goes on."""

    def __init__(self, origins):
        self.origins = origins
        self.alone, self.since = 0, 0
        self.rounds = 0

    def __call__(self, got):
        if got.n - self.since < STEP:
            return
        self.since = got.n
        self.alone = (self.alone + 1) % SERVERS
        self.rounds += 1
        self.origins[self.alone].revive()
        for origin in self.origins:
            if origin is not self.origins[self.alone]:
                origin.kill()


def test(s):
    """A server that has refused connections for a while is asked again when
    it is back: a download outlives a restart of all servers in turn, however
    often it comes."""
    library = Library()
    origins = [RangeOrigin(s, library, rate_bps=16 << 20)
               for _ in range(SERVERS)]
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {
            "shard": {"range": "on", "min_size": "64KiB", "piece": "256KiB"},
            "servers": {f"s{i}": {"address": o.text}
                        for i, o in enumerate(origins)}}}})
    before = b.settled_descriptors()
    path = f"/file/{SIZE}"
    sock, reader = open_reader(("127.0.0.1", port))
    with sock:
        sock.sendall(request(f"GET {path} HTTP/1.1"))
        restarts = Restarts(origins)
        got = Download(limit_s=100).read(
            reader, [library.find(path).content], restarts)
        s.equal((got.end, got.compare[0].is_whole()), (WHOLE, True),
                f"{got.n} bytes, {restarts.rounds} changes of the only server")
    s.say(f"longest gap {got.longest_gap_s * 1000:.0f} ms")
    nothing_left(s, b, before)
    b.stop()


scenario.run(test)
