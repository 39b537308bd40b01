#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading

from lib import scenario
from lib.braidd import Braid
from lib.downloads import RESET, WHOLE, Download, open_reader
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

MIB = 1 << 20
SIZE = 24 * MIB
# Bytes a second of a server: until something is done to it, and afterwards.
SLOW, FAST = MIB // 2, 16 * MIB


def test(s):
    """braidctl kill --server and downloads from several servers: who has
    nothing but that server is ended, who has others goes on; kill by number
    ends all of one; drain leaves it to the others."""
    library = Library()
    path = f"/large/{SIZE}"
    content = library.find(path).content
    origins = [RangeOrigin(s, library, rate_bps=SLOW) for _ in range(3)]
    servers = {f"s{i}": {"address": o.text} for i, o in enumerate(origins)}
    ports = {"one": s.port(), "all": s.port()}
    shard = {"range": "on", "min_size": "1MiB", "max": 3}
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{p}", "pool": n}
                      for n, p in ports.items()},
        "pools": {"one": {"servers": {"s0": servers["s0"]}, "shard": shard},
                  "all": {"servers": servers, "shard": shard}}})

    def begin(pool, n_servers):
        """A download that has so many servers: its thread and what came."""
        got = Download(limit_s=300)

        def fetch():
            sock, reader = open_reader(("127.0.0.1", ports[pool]))
            with sock:
                sock.sendall(request(f"GET {path} HTTP/1.1"))
                got.read(reader, [content])

        thread = threading.Thread(target=fetch)
        thread.start()
        s.until(lambda: {lane["server"]
                         for row in b.ctl("shards", f"pool={pool}")["shards"]
                         for lane in row["lanes"]} >=
                {f"s{i}" for i in range(n_servers)},
                f"{pool}: {n_servers} servers bring it")
        return thread, got

    thread, got = begin("one", 1)
    s.equal(b.ctl("kill", "--server", "one/s0")["killed"], 1, "killed")
    thread.join()
    s.equal(got.end, RESET, "its client hears a reset")
    row = b.wait_flows(1)[0]
    s.equal((row["end"], row["target"]), ("KD", path), "its line")

    thread, got = begin("all", 3)
    s.equal(b.ctl("kill", "--server", "all/s0")["killed"], 0,
            "it has other servers")
    b.ctl("drain", "all", "s0")
    s.until(lambda: not b.ctl("shards", "pool=all")["shards"] or "s0" not in {
        lane["server"] for row in b.ctl("shards", "pool=all")["shards"]
        for lane in row["lanes"]}, "s0 has left it")
    for origin in origins:
        origin.rate_bps = FAST
    thread.join()
    s.equal((got.end, got.n, len(got.right)), (WHOLE, SIZE, 1), "whole")
    b.ctl("ready", "all", "s0")
    b.idle()
    for origin in origins:
        origin.rate_bps = SLOW

    thread, got = begin("all", 3)
    flow = b.ctl("shards")["shards"][0]["id"]
    s.equal(b.ctl("kill", flow)["killed"], 1, "killed by its number")
    thread.join()
    s.equal(got.end, RESET, "its client hears a reset")
    b.idle()
    m = b.metrics()
    s.equal([m.total(name) for name in (
        "braid_sharded_flows", "braid_shard_connections",
        "braid_shard_kernel_bytes")], [0, 0, 0], "all is given back")
    b.stop()


scenario.run(test)
