#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading
import time

from lib import scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, open_reader
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

SIZE, SERVERS = 64 << 20, 3
STEP = 2 << 20  # so much of it at least, while what is looked for could happen
LANES_MAX = 200  # what is looked for were thousands


class Client(threading.Thread):
    """So slow that one lane is enough, until it is told to hurry."""

    def __init__(self, port, path, content):
        super().__init__(daemon=True)
        self.got = Download(limit_s=300)
        self.hurry = threading.Event()
        self.content = content
        self.sock, self.reader = open_reader(
            ("127.0.0.1", port), receive_buffer=1 << 17)
        self.sock.sendall(request(f"GET {path} HTTP/1.1"))

    def _on_data(self, _got):
        if not self.hurry.is_set():
            time.sleep(0.01)

    def run(self):
        with self.sock:
            self.got.read(self.reader, [self.content], self._on_data)


def test(s):
    """The only lane of a download has a server that gets nothing new: one that
    is drained is left for another, and in a pool that fails open nobody is.
    Either way no connection is opened over and over only to be closed."""
    library = Library()
    ports = {name: s.port() for name in ("drained", "open")}
    origins = {name: [RangeOrigin(s, library) for _ in range(SERVERS)]
               for name in ports}
    pools = {
        name: {"shard": {"range": "auto", "min_size": "64KiB"},
               "servers": {f"s{i}": {"address": o.text}
                           for i, o in enumerate(origins[name])}}
        for name in ports}
    # There is no such file, so that all are down.
    pools["open"]["shard"]["max"] = 1
    pools["open"]["health"] = {"type": "http", "path": "/", "interval": "1s",
                               "timeout": "500ms"}
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{p}", "pool": n}
                      for n, p in ports.items()},
        "pools": pools})
    s.until(lambda: b.pool("open")["fails_open"], "no health check succeeds")
    path = f"/file/{SIZE}"
    for name, port in ports.items():
        before = b.metrics().total("braid_shard_lanes_total")
        client = Client(port, path, library.find(path).content)
        client.start()
        s.until(lambda: client.got.n > STEP, f"{name}: the download runs")
        if name == "drained":
            def homes():
                return [i for i, o in enumerate(origins[name]) if o.n_open]
            s.until(lambda: len(homes()) == 1, "one server brings it")
            home, = homes()
            b.braidctl("drain", name, f"s{home}")
            s.until(lambda: not origins[name][home].n_open and
                    any(o.n_open for o in origins[name]),
                    "the drained server is left, another brings the rest")
        n = client.got.n
        s.until(lambda: client.got.n > n + STEP, f"{name}: it goes on")
        lanes = b.metrics().total("braid_shard_lanes_total") - before
        s.check(lanes <= LANES_MAX, f"{name}: {lanes:.0f} connections, "
                                    f"{LANES_MAX} at most")
        client.hurry.set()
        s.until(lambda: not client.is_alive(), f"{name}: it ends", 100)
        s.equal((client.got.end, client.got.compare[0].is_whole()),
                (WHOLE, True), f"{name}: all of it came")
    s.equal(b.wait_flows(1, listener="open")[0]["shards"], "1",
            "where the pool fails open no other was asked beside it")
    b.stop()


scenario.run(test)
