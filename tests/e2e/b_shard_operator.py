#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading

from lib import scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, open_reader
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

SIZE, SERVERS = 96 << 20, 4
SHARD = {"range": "on", "min_size": "64KiB", "piece": "256KiB", "max": 4}


class Client(threading.Thread):
    """Takes its time until it is told to hurry."""

    def __init__(self, port, path, content):
        super().__init__(daemon=True)
        self.got = Download(limit_s=400)
        self.hurry = threading.Event()
        self.content = content
        self.sock, self.reader = open_reader(("127.0.0.1", port))
        self.sock.sendall(request(f"GET {path} HTTP/1.1"))

    def _on_data(self, got):
        # Ever slower, so that it is not done before it is told.
        left = max(SIZE - got.n, 1)
        self.hurry.wait(0.01 if left > SIZE // 2 else min(0.1 * SIZE / left,
                                                          5))

    def run(self):
        with self.sock:
            self.got.read(self.reader, [self.content], self._on_data)


def test(s):
    """What an operator does in the middle of a download: drains, maintenance,
    reloads that take a server away, bring it back or switch range shards off,
    an upgrade. A server that is not to be used is left within the piece, and
    the client notices nothing."""
    library = Library()
    origins = [RangeOrigin(s, library, rate_bps=16 << 20)
               for _ in range(SERVERS)]
    port = s.port()

    def config(without=(), shard="on"):
        return {
            "global": {"drain": "60s"},
            "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
            "pools": {"o": {
                "shard": {**SHARD, "range": shard},
                "servers": {f"s{i}": {"address": o.text}
                            for i, o in enumerate(origins)
                            if i not in without}}}}

    b = Braid(s, config())
    path = f"/file/{SIZE}"
    client = Client(port, path, library.find(path).content)
    client.start()

    def at_work(but=()):
        """All are asked but those."""
        return all((o.n_open > 0) != (i in but)
                   for i, o in enumerate(origins))

    s.until(at_work, "all servers bring pieces")
    for i, command in enumerate(("drain", "maint")):
        b.braidctl(command, "o", f"s{i}")
        s.until(lambda: at_work([i]), f"{command}: s{i} is left, the others "
                                      "are at work")
        s.until(lambda: b.server("o", f"s{i}")["connections"] == 0,
                "no slot of it is in use")
        b.braidctl("ready", "o", f"s{i}")
        s.until(at_work, "ready: it is asked again")
    b.reload(config(without=[3]))
    b.reload(config())
    b.reload(config(shard="off"))
    n = client.got.n
    s.until(lambda: client.got.n >= min(n + (1 << 20), SIZE),
            "through reloads the download goes on")
    old = b.pid
    b.upgrade()
    s.say(f"{client.got.n >> 20} of {SIZE >> 20} MiB before the upgrade")
    client.hurry.set()
    s.until(lambda: not client.is_alive(), "the download ends", 100)
    s.equal((client.got.end, client.got.compare[0].is_whole()), (WHOLE, True),
            "and is whole")
    s.say(f"longest gap {client.got.longest_gap_s * 1000:.0f} ms")
    b.wait_gone(old)
    flow = b.wait_flows(1, listener="web")[-1]
    s.say(f"{flow.get('shards')} shards, {flow.get('pieces')} pieces, "
          f"{flow.get('migrations')} migrations")
    b.stop()


scenario.run(test)
