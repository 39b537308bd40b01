#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter

SERVERS = 4000
FLOWS = 6


def test(s):
    """What an old generation counts last is not lost, also when its page of
    counters takes longer to write than the newest waits between two looks at
    it."""
    origin = Origin(s, greeter("a"))
    port = s.port()

    def config(servers):
        return {
            "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
            "pools": {
                "o": {"servers": {"a": {"address": origin.text}}},
                "many": {"servers": {
                    f"server-{i}": {"address": f"127.1.{i >> 8}.{i & 255}:80"}
                    for i in range(servers)}}},
        }

    b = Braid(s, config(SERVERS))
    held = [client.connect(("127.0.0.1", port)) for _ in range(FLOWS)]
    for sock in held:
        client.read_exactly(sock, 1)
    b.write_config(config(1))
    b.upgrade()
    s.equal(len(b.status()["generations"]), 2, "generations")
    for sock in held:
        sock.close()
    s.until(lambda: len(b.status()["generations"]) == 1, "the old one ended")
    m = b.metrics()
    s.equal(m.value("braid_listener_closed_total", listener="web"), FLOWS,
            "flows ended")
    s.equal(m.value("braid_flow_time_seconds_count"), FLOWS, "flows timed")
    b.wait_gone(b.process.pid)
    b.stop()


scenario.run(test)
