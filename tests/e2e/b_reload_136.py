#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: serial
# ctest: timeout 300
import resource
import threading

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Echo, Origin, name
from lib.process import wait_until

FLOWS, RELOADS = 1000, 136
# What exists from the start counts once it is touched, such as the queues of
# the logs; that comes to its end. So the memory may grow for some rounds of
# further reloads, but not in each.
ROUND, ROUNDS_MAX, ROOM = 30, 20, 1 << 20


class Traffic:
    """New connections and requests on live flows, without end; any error is
    kept."""

    def __init__(self, port, held):
        self.port, self.held = port, held
        self.errors, self.fresh, self.echoed = [], 0, 0
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(f,))
                        for f in (self.connect_once, self.echo_once)]
        for thread in self.threads:
            thread.start()

    def run(self, once):
        while not self.stop.is_set() and len(self.errors) < 10:
            try:
                once()
            except Exception as error:  # reported by the scenario
                self.errors.append(repr(error))

    def connect_once(self):
        answer, end = client.ask(("127.0.0.1", self.port))
        if end != client.FIN or answer not in (b"one", b"two"):
            raise ValueError(f"answer {answer!r} {end}")
        self.fresh += 1

    def echo_once(self):
        sock = self.held[self.echoed % len(self.held)]
        data = b"%d" % self.echoed
        sock.sendall(data)
        if client.read_exactly(sock, len(data)) != data:
            raise ValueError("a wrong echo")
        self.echoed += 1

    def goes_on(self):
        """Both have done something since they were asked first, or failed."""
        fresh, echoed = self.fresh, self.echoed
        wait_until(lambda: self.errors or (self.fresh > fresh and
                                           self.echoed > echoed),
                   "traffic")

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def config(ports, echo, names, i):
    """Every reload changes something: weights, a server, a pool, a
    listener."""
    port, echo_port, extra_port = ports
    result = {
        "listeners": {
            "web": {"bind": f"127.0.0.1:{port}", "pool": f"web{i % 3}",
                    "timeout": {"idle": f"{100 + i}s"}},
            "echo": {"bind": f"127.0.0.1:{echo_port}", "pool": "echo"}},
        "pools": {
            f"web{i % 3}": {"balance": ("rr", "least", "p2c")[i % 3],
                            "servers": {
                "one": {"address": names[0].text, "weight": 1 + i % 5},
                "two": {"address": names[1].text}}},
            "echo": {"servers": {"e": {"address": echo.text,
                                       "weight": 1 + i % 7}}}},
    }
    if i % 2:
        result["pools"]["echo"]["servers"]["more"] = {
            "address": names[0].text, "weight": 0}
    if i % 4 == 1:
        result["listeners"]["extra"] = {
            "bind": f"127.0.0.1:{extra_port}", "pool": "echo"}
    return result


def test(s):
    """136 reloads under 1,000 live flows and steady traffic: no failure, no
    flow lost, and descriptors and memory stay flat."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    echo = Echo(s)
    names = [Origin(s, name("one")), Origin(s, name("two"))]
    ports = port, echo_port, _ = s.port(), s.port(), s.port()
    # What is freed shall be free: its quarantine is not our memory.
    b = Braid(s, config(ports, echo, names, 0),
              asan=":quarantine_size_mb=0:thread_local_quarantine_size_kb=0")
    held = []
    for _ in range(FLOWS):
        held.append(client.connect(("127.0.0.1", echo_port)))
    s.check(all(client.echoes(sock) for sock in held),
            f"{FLOWS} live flows work")
    s.equal(b.status()["flows"]["open"], FLOWS, "flows that braidd has")
    traffic = Traffic(port, held)

    def reload(i):
        b.reload(config(ports, echo, names, i))
        traffic.goes_on()
    try:
        for i in range(1, RELOADS + 1):
            reload(i)
        n, grown, memory = RELOADS, [], b.memory_bytes()
        while len(grown) < ROUNDS_MAX and (not grown or grown[-1] >= ROOM):
            for _ in range(ROUND):
                n += 1
                reload(n)
            grown.append(b.memory_bytes() - memory)
            memory += grown[-1]
    finally:
        traffic.end()
    s.equal(traffic.errors, [], "errors of clients")
    s.say(f"{traffic.fresh} new connections, {traffic.echoed} requests on "
          "live flows meanwhile")
    s.check(traffic.fresh >= n and traffic.echoed >= n,
            "there was traffic all the time")
    s.equal(b.status()["config"]["reloads"], n, "reloads")
    s.check(all(client.echoes(sock) for sock in held),
            f"all {FLOWS} flows still work")
    s.until(lambda: b.status()["flows"]["open"] == FLOWS,
            "and no other flow is left")
    s.until(lambda: b.descriptors() <= 2 * FLOWS + 128,
            f"few descriptors for {FLOWS} flows")
    s.check(grown[-1] < ROOM,
            f"memory comes to an end: {[n >> 10 for n in grown]} KiB more "
            f"after {ROUND} reloads each")
    for sock in held:
        sock.close()
    b.idle()
    flows = b.wait_flows(FLOWS, listener="echo")
    s.equal({f["end"] for f in flows}, {"--"}, "codes of the live flows")
    s.equal(b.metrics().total("braid_worker_log_dropped_total"), 0,
            "lost log lines")
    s.until(lambda: b.descriptors() < 160, "few descriptors at the end")
    b.stop()


scenario.run(test, user="nobody", limit_seconds=280)
