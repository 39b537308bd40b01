#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import collections
import threading

from lib import client, scenario
from lib.braidd import Braid
from lib.content import Comparer
from lib.http1 import Reader
from lib.range_origin import Library, RangeOrigin

MIB = 1 << 20
SIZE = 12 * MIB + 4711
LANES, TRIES = 4, 30


def download(s, port, path, entity, watch):
    with client.connect(("127.0.0.1", port)) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        reader, seen = Reader(sock.recv), Comparer(entity.content, 0)
        head = reader.final_head()

        def take(data):
            seen(data)
            if seen.n > entity.size // 2:
                watch.looked_at.wait(60)
        reader.exactly(int(head.get("Content-Length")), take)
    s.equal((seen.n, seen.wrong_at), (entity.size, None), "the whole")


class Watch:
    """The most lanes to one server that a download of the pool had at any look
    while none of them was given up: who goes on for a lane that was found slow
    may stand beside it.

    Connections that one server has may be one more: a lane that is being closed
    keeps its slot until it is, and who replaces it is opened in the same turn."""

    def __init__(self, b, pool):
        self.b, self.pool, self.most, self.seen = b, pool, 0, 0
        self.done = threading.Event()
        self.looked_at = threading.Event()  # often enough
        self.thread = threading.Thread(target=self._look)

    def _look(self):
        while not self.done.wait(0.02):
            for row in self.b.ctl("shards")["shards"]:
                if row["pool"] != self.pool:
                    continue
                if row["migrations"]:
                    self.looked_at.set()
                    continue
                self.seen += 1
                if self.seen > 1:
                    self.looked_at.set()
                lanes = collections.Counter(
                    lane["server"] for lane in row["lanes"])
                self.most = max(self.most, *lanes.values(), 0)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def test(s):
    """Servers that are fewer than shard.max get two connections of a download
    at most, others one; a server alone is asked by two where that is faster."""
    library = Library()
    path = f"/large/{SIZE}"
    entity = library.find(path)
    pools, ports = {}, {}
    for mode in ("on", "auto"):
        for n in (1, 2, 4):
            name = f"{mode}-{n}"
            ports[name] = s.port()
            origins = [RangeOrigin(s, library, rate_bps=4 * MIB)
                       for _ in range(n)]
            pools[name] = {
                "servers": {f"s{i}": {"address": o.text}
                            for i, o in enumerate(origins)},
                "shard": {"range": mode, "min_size": "1MiB",
                          "piece": "256KiB", "max": LANES}}
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{p}", "pool": n}
                      for n, p in ports.items()},
        "pools": pools})
    for name in pools:
        n = len(pools[name]["servers"])
        each = 1 if n == LANES else 2
        # Once without a server that is found slow or silent.
        for n_flows in range(1, TRIES + 1):
            with Watch(b, name) as watch:
                download(s, ports[name], path, entity, watch)
            line = b.wait_flows(n_flows, listener=name)[-1]
            if line["migrations"] == "0":
                break
        else:
            s.check(False, f"{name}: {TRIES} downloads with migrations")
        s.check(watch.seen > 1, f"{name}: seen while it ran")
        s.check(watch.most <= each,
                f"{name}: at most {each} to a server ({watch.most} seen)")
        # How many are worth it is found by trial, which takes time.
        if name.startswith("on"):
            s.equal(line["shards"], str(min(LANES, each * n)),
                    f"{name}: lanes")
    b.stop()


scenario.run(test)
