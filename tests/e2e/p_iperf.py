#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario, servers
from lib.braidd import Braid


def test(s):
    """iperf3 through braidd, both directions, 1 and 8 streams: bulk is spliced
    and the counters agree with the access log."""
    iperf = servers.Iperf(s)
    port = s.port()
    b = Braid(s, {
        "listeners": {"bulk": {"bind": f"127.0.0.1:{port}", "pool": "i"}},
        "pools": {"i": {"servers": {"i": {"address": iperf.text}}}},
    })
    size = 256 << 20
    for streams in (1, 8):
        for reverse in (False, True):
            end = iperf.run(port, streams, reverse, f"{size >> 20}M")
            way = "down" if reverse else "up"
            s.check(end["sum_sent"]["bytes"] >= size,
                    f"{streams} streams {way}: "
                    f"{end['sum_sent']['bytes'] >> 20} MiB sent")
            # The server stops counting when it hears, on another connection,
            # that all was sent.
            s.check(0 < end["sum_received"]["bytes"] <=
                    end["sum_sent"]["bytes"],
                    f"{end['sum_received']['bytes'] >> 20} MiB counted")
    b.idle()
    flows = b.wait_flows(2 * (1 + 1) + 2 * (8 + 1))
    bulk = [f for f in flows
            if int(f["bytes_in"]) + int(f["bytes_out"]) > 8 << 20]
    # How eight streams share what is sent is theirs, but one of each run has
    # an eighth at least.
    s.check(4 <= len(bulk) <= 18, f"{len(bulk)} flows carried bulk")
    b.need_pipes()
    paths = {("up" if int(f["bytes_in"]) > int(f["bytes_out"]) else "down",
              f["path"]) for f in bulk}
    s.equal(paths, {("up", "splice-up"), ("down", "splice-down")},
            "their paths")
    moved = sum(int(f["bytes_in"]) + int(f["bytes_out"]) for f in flows)
    m = b.metrics()
    s.equal(m.total("braid_worker_relayed_bytes_total") +
            m.total("braid_worker_spliced_bytes_total"), moved,
            "bytes relayed and spliced against the access log")
    b.stop()


scenario.run(test, user="nobody")
