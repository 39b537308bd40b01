#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading

from lib import scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, open_reader
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

MIB = 1 << 20
SIZE = 6 * MIB
CLIENTS = 4


def test(s):
    """What range shards may take in all: past each limit downloads have fewer
    shards, or none, and come whole all the same; what was refused is counted,
    and all is given back."""
    library = Library()
    path = f"/large/{SIZE}"
    origins = [RangeOrigin(s, library, rate_bps=4 * MIB) for _ in range(3)]

    def run(limits, hold=False, **more):
        """hold: the first takes no more until the others have all of it."""
        s.say(f"-- {limits}")
        port = s.port()
        b = Braid(s, {
            "limits": limits,
            "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
            "pools": {"o": {
                "servers": {f"s{i}": {"address": o.text}
                            for i, o in enumerate(origins)},
                "shard": {"range": "on", "min_size": "1MiB", "max": 3}}}},
            **more)
        got = [Download() for _ in range(CLIENTS)]

        begun, others = threading.Event(), threading.Event()

        def wait(one):
            if one is got[0]:
                begun.set()
                others.wait(50)

        def fetch(one):
            sock, reader = open_reader(("127.0.0.1", port),
                                       receive_buffer=65536)
            with sock:
                sock.sendall(request(f"GET {path} HTTP/1.1"))
                one.read(reader, [library.find(path).content],
                         wait if hold else None)

        threads = [threading.Thread(target=fetch, args=(one,))
                   for one in got]
        threads[0].start()
        if hold:
            s.check(begun.wait(50), "the first has begun")
        for thread in threads[1:]:
            thread.start()
        for thread in threads[1:]:
            thread.join()
        others.set()
        threads[0].join()
        s.equal([(one.status, one.end, one.n, len(one.right))
                 for one in got], [(200, WHOLE, SIZE, 1)] * CLIENTS,
                "all came whole")
        rows = b.wait_flows(CLIENTS)
        b.idle()
        m = b.metrics()
        s.equal([m.total(name) for name in (
            "braid_sharded_flows", "braid_shard_connections",
            "braid_shard_kernel_bytes")], [0, 0, 0], "all is given back")
        b.stop()
        return b, rows, m

    def refused(m, cause):
        return m.total("braid_shard_refused_total", cause=cause)

    def shards(rows):
        """Without who went on for a lane that was silent, beside it."""
        return [min(3, int(row.get("shards", 0))) for row in rows]

    _, rows, m = run({})
    s.equal(refused(m, "flows") + refused(m, "connections") +
            refused(m, "kernel_bytes"), 0, "nobody was refused")
    s.equal(max(shards(rows)), 3, f"shards: {shards(rows)}")

    _, rows, m = run({"sharded_flows": 1}, hold=True)
    s.equal(sorted(shards(rows)), [0] * (CLIENTS - 1) + [3],
            "one at a time")
    s.check(refused(m, "flows") >= CLIENTS - 1, "the others were refused")

    _, rows, m = run({"sharded_flows": 0})
    s.equal(shards(rows), [0] * CLIENTS, "none")
    s.check(refused(m, "flows") >= CLIENTS, "all refused")

    _, rows, m = run({"shard_connections": 2}, hold=True)
    s.check(refused(m, "connections") >= 1, "connections were refused")
    s.equal(m.value("braid_shard_connections_limit"), 2, "the limit")

    _, rows, m = run({"shard_kernel_bytes": "0%"})
    s.check(refused(m, "kernel_bytes") >= 1 and all(
        int(row.get("shards", 0)) <= 1 + int(row.get("migrations", 0))
        for row in rows), f"no memory, no shards: {shards(rows)}")

    b, _, m = run({"shard_connections": 100000}, nofile=1000)
    s.check(m.value("braid_shard_connections_limit") < 125,
            "clamped to an eighth of the descriptors")
    s.check([e for e in b.lines() if e["msg"] == "start" and
             "limits.shard_connections 100000 is clamped" in e["warning"]],
            "which is said")


scenario.run(test)
