#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.origins import Origin
from lib.transfer import Peer, Stream, exchange

MIB = 1 << 20


def test(s):
    """Without room for pipes braidd says so at the start, and relay carries
    bulk, byte-exact."""
    port = s.port()
    origin = Origin(s, lambda sock, number: None)
    # So few descriptors that pipes, an eighth of them, are less than one for
    # each worker.
    b = Braid(s, {
        "global": {"workers": 4},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    }, nofile=288)
    s.check("splice" in b.wait_event("start")["warning"],
            "the log has a warning")
    s.equal(b.status()["pipes"]["max"], 0, "pipes")
    for i, (down, up) in enumerate(((100 * MIB, 3), (5, 100 * MIB),
                                    (40 * MIB, 40 * MIB))):
        peer = Peer(Stream(i, down), {}, {})
        origin.handler = peer
        exchange(s, ("127.0.0.1", port), peer, Stream(100 + i, up),
                 "by relay alone")
    flows = b.wait_flows(3)
    s.equal({(f["end"], f["path"]) for f in flows}, {("--", "relay")},
            "codes and paths")
    b.idle()
    m = b.metrics()
    s.equal(m.total("braid_worker_spliced_bytes_total"), 0, "spliced bytes")
    s.equal(b.status()["parked"]["bytes"], 0, "parked bytes")
    b.stop()


scenario.run(test, user="nobody")
