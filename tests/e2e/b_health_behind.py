#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import origins, scenario
from lib.braidd import Braid

N = 1500


def test(s):
    """More checks than fit into their interval are counted and said: 1,500
    servers that accept and say nothing, each of which keeps one of 256 places
    for the second of its timeout."""
    port = s.port()
    mute = origins.listen(("0.0.0.0", port), backlog=4096)
    s.defer(mute.close)

    def config(n):
        return {
            "listeners": {"web": {"bind": f"127.0.0.1:{s.port()}",
                                  "pool": "o"}},
            "pools": {"o": {
                "health": {"type": "tls", "interval": "400ms",
                           "timeout": "1s", "fall": 1},
                "servers": {f"s{i}": {
                    "address": f"127.1.{i // 250}.{1 + i % 250}:{port}"}
                    for i in range(n)}}}}
    b = Braid(s, config(1))

    def value(name):
        return b.metrics().total(f"braid_health_{name}_total")

    s.until(lambda: value("checks_failed") >= 1, "checks of one server")
    s.equal(value("queued"), 0, "checks that waited for room")
    b.reload(config(N))
    s.until(lambda: value("queued") > 0, "checks wait for room")
    s.until(lambda: value("overdue") > 0, "they begin too late")
    said = b.wait_event("health checks are behind")
    s.check(int(said["count"]) > 0, f"the log says how often: {said['count']}")
    b.stop()


scenario.run(test)
