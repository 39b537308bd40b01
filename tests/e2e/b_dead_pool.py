#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import concurrent.futures

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name
from lib.process import wait_until


def test(s):
    """With no server left connections wait in the queue or end with a logged
    code; none hangs, and those that wait are served when a server is back."""
    late = Origin(s, name("late"))
    late.down()
    dead = f"127.0.0.1:{s.port()}"
    ports = {n: s.port() for n in ("plain", "checked", "patient", "zero")}
    health = {"interval": "50ms", "rise": 1, "fall": 2, "fail_open": "0%"}
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{p}", "pool": n}
                      for n, p in ports.items()},
        "pools": {
            "plain": {"servers": {"a": {"address": dead},
                                  "b": {"address": dead}},
                      "connect": {"retries": 3}},
            "checked": {"servers": {"a": {"address": dead}},
                        "health": health},
            "patient": {"servers": {"a": {"address": late.text}},
                        "health": health,
                        "queue": {"length": 100, "timeout": "60s"}},
            "zero": {"servers": {"a": {"address": dead, "weight": 0}}}},
    })
    for pool in ("checked", "patient"):
        s.until(lambda: b.server(pool, "a")["health"] == "down",
                f"the server of {pool} is down")
    for listener, code, retries in (("plain", "SC", "3"),
                                    ("checked", "SC", "0"),
                                    ("zero", "SC", "0")):
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            ends = set(pool.map(lambda _: client.ask(
                ("127.0.0.1", ports[listener])), range(20)))
        s.equal(ends, {(b"", client.RESET)}, f"connections to {listener}")
        flows = b.wait_flows(20, listener=listener)
        s.equal({(f["end"], f["retries"]) for f in flows},
                {(code, retries)}, "their code and retries")

    waiting = [client.connect(("127.0.0.1", ports["patient"]))
               for _ in range(50)]
    s.until(lambda: b.pool("patient")["queued"] == 50, "50 wait in the queue")
    rows = b.ctl("flows", "pool=patient")["flows"]
    s.equal({(f["state"], f["server"]) for f in rows}, {("queued", None)},
            "their state in braidctl flows")
    late.up()
    s.equal({client.read_end(sock) for sock in waiting},
            {(b"late", client.FIN)}, "once the server is back")
    for sock in waiting:
        sock.close()
    flows = b.wait_flows(50, listener="patient")
    s.equal({(f["end"], f["server"]) for f in flows}, {("--", "a")},
            "their codes and servers")
    s.check(all(float(f["queue_ms"]) > 0 for f in flows),
            "the log says that they waited")
    wait_until(lambda: b.pool("patient")["queued"] == 0, "an empty queue")
    b.idle()
    b.stop()


scenario.run(test, user="root")
