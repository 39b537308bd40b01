#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading

from lib import scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, open_reader
from lib.range_faults import Trouble
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

MIB = 1 << 20
SIZE = 24 * MIB
# Bytes a second of a server: until the upgrade has been looked at, and after.
SLOW, FAST = MIB // 4, 8 * MIB


def test(s):
    """An upgrade in the middle of a download from several servers: it stays
    with the old process and comes whole, also when a server dies after the
    upgrade; what it takes and what was counted is seen in the new one."""
    library = Library()
    path = f"/large/{SIZE}"
    content = library.find(path).content
    # In the middle of a piece: a server without one is not missed.
    trouble = Trouble("kill", "mid")
    trouble.armed = False
    origins = [RangeOrigin(s, library, trouble, rate_bps=SLOW)
               for _ in range(3)]
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {f"s{i}": {"address": o.text}
                                    for i, o in enumerate(origins)},
                        "shard": {"range": "on", "min_size": "1MiB",
                                  "max": 3}}}})
    got = [Download(limit_s=300), Download(limit_s=600)]

    def fetch(one):
        sock, reader = open_reader(("127.0.0.1", port))
        with sock:
            sock.sendall(request(f"GET {path} HTTP/1.1"))
            one.read(reader, [content])

    def whole(one, what):
        s.equal((one.status, one.end, one.n, len(one.right)),
                (200, WHOLE, SIZE, 1), what)

    thread = threading.Thread(target=fetch, args=(got[0],))
    thread.start()
    s.until(lambda: [row for row in b.ctl("shards")["shards"]
                     if len(row["lanes"]) == 3], "three servers bring it")
    old = b.pid
    b.upgrade()
    s.check(got[0].end is None, f"{got[0].n} bytes have come")
    s.equal(b.ctl("shards")["shards"], [], "the new process has none")
    m = b.metrics()
    s.equal((m.total("braid_sharded_flows"),
             m.total("braid_shard_flows_total")), (1, 1),
            "but counts that of the old one")
    def takes():
        m = b.metrics()
        return m.total("braid_shard_kernel_bytes") > 0 and \
            m.total("braid_shard_connections") >= 2
    s.until(takes, "and what it takes")
    s.check(got[0].end is None, "all the while")
    trouble.armed = True
    for origin in origins:
        origin.rate_bps = FAST
    thread.join()
    whole(got[0], "by the old process")
    b.wait_gone(old)
    m = b.metrics()
    s.check(m.total("braid_shard_migrations_total") >= 1,
            "a piece went to another server")
    s.equal([m.total(name) for name in (
        "braid_sharded_flows", "braid_shard_connections",
        "braid_shard_kernel_bytes")], [0, 0, 0], "all is given back")

    s.check(trouble.server, "of a server that has died")
    trouble.armed = False
    trouble.server.revive()
    fetch(got[1])
    whole(got[1], "by the new process")
    s.equal(b.metrics().total("braid_shard_flows_total"), 2, "both count")
    b.stop()


scenario.run(test)
