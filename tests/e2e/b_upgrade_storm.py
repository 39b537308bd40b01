#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 300
# ctest: serial
import os

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Echo
from lib.servers import Nginx
from lib.storm import Storm

UPGRADES, FLOWS, MORE, RATE = 10, 1000, 50, 5000


def test(s):
    """Ten upgrades under 1,000 live flows that all stay, as do 50 more of each
    generation, and new connections at up to 5,000 a second: none fails, each
    old generation lives until its flows end, and the last one holds what the
    first one held."""
    nginx = Nginx(s)
    echo = Echo(s)
    port, long = s.port(), s.port()
    rate = int(os.environ.get("BRAID_STORM_RATE") or RATE)
    b = Braid(s, {
        "global": {"log": {"access": False}},
        "upgrade": {"generations": 16},
        "listeners": {
            "web": {"bind": f"127.0.0.1:{port}", "pool": "n"},
            "long": {"bind": f"127.0.0.1:{long}", "pool": "e"}},
        "pools": {"n": {"servers": {"a": {"address": nginx.text}}},
                  "e": {"servers": {"a": {"address": echo.text}}}},
    })
    flows = [client.connect(("127.0.0.1", long)) for _ in range(FLOWS)]
    s.check(all(client.echoes(x) for x in flows), f"{FLOWS} flows live")
    # The next generation is no different: it is the measure.
    b.upgrade()
    storm = Storm(s, port, rate)
    took, held, memory = [], [], []
    for i in range(UPGRADES):
        before = b.status()["flows"]["ended"]
        s.until(lambda: b.status()["flows"]["ended"] > before + 200,
                f"upgrade {i + 1}: new connections come and go", 60)
        flows += [client.connect(("127.0.0.1", long)) for _ in range(MORE)]
        lost = sum(not client.echoes(x) for x in flows)
        s.equal(lost, 0, "live flows lost")
        memory.append(b.memory_bytes())
        took.append(b.upgrade()["took_ms"])
    s.check(all(client.echoes(x) for x in flows), "all live flows live on")
    result = storm.stop()
    s.equal(len(b.status()["generations"]), UPGRADES + 2,
            "generations that live")
    s.say(f"{result}, upgrades took {took} ms")
    s.equal(result["failed"], {}, "new connections that failed")
    s.check(result["done"] > UPGRADES * 200, "connections were made")

    s.say("-- afterwards")
    for sock in flows:
        sock.close()
    for pid in [b.process.pid] + b.pids[:-1]:
        b.wait_gone(pid, 60)
    s.until(lambda: len(b.status()["generations"]) == 1, "one is left")
    b.idle()

    def all_ended():
        m = b.metrics()
        return m.value("braid_listener_closed_total", listener="web") == \
            m.value("braid_listener_accepted_total", listener="web") and m
    m = s.until(all_ended, "all new connections are counted as ended")
    s.equal(m.value("braid_listener_accepted_total", listener="long"),
            FLOWS + UPGRADES * MORE, "flows counted over all generations")
    s.check(m.value("braid_listener_accepted_total", listener="web") >=
            result["done"], "none of them went uncounted")
    s.equal(m.value("braid_listener_refused_total", listener="web"), 0,
            "refused")
    memory.append(b.memory_bytes())
    held.append(b.settled_descriptors())
    # One more, alone and without load: what a fresh one holds.
    b.upgrade()
    b.wait_gone(b.pids[-2])
    s.until(lambda: len(b.status()["generations"]) == 1, "one is left")
    held.append(b.settled_descriptors())
    s.say(f"private memory at each upgrade, then alone: "
          f"{[n >> 10 for n in memory]} KiB; descriptors {held}")
    s.equal(held[0], held[1], "descriptors of one that had the load, and of "
            "a fresh one")
    # What one generation hands on would show in all later ones; how busy it
    # was at that moment, in some.
    s.check(min(memory[UPGRADES // 2:]) <= max(memory[:3]) * 1.25,
            "memory stays")
    b.stop()


scenario.run(test, limit_seconds=290)
