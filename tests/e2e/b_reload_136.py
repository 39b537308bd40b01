#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: serial
# ctest: timeout 300
import resource
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Echo, Origin, name

FLOWS, RELOADS = 1000, 136


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
    try:
        for i in range(1, 17):
            b.reload(config(ports, echo, names, i))
        time.sleep(1)
        memory = b.memory_bytes()
        for i in range(17, RELOADS + 1):
            b.reload(config(ports, echo, names, i))
    finally:
        traffic.end()
    s.equal(traffic.errors, [], "errors of clients")
    s.say(f"{traffic.fresh} new connections, {traffic.echoed} requests on "
          "live flows meanwhile")
    s.check(traffic.fresh > 100 and traffic.echoed > 100,
            "there was traffic all the time")
    s.equal(b.status()["config"]["reloads"], RELOADS, "reloads")
    s.check(all(client.echoes(sock) for sock in held),
            f"all {FLOWS} flows still work")
    s.until(lambda: b.status()["flows"]["open"] == FLOWS,
            "and no other flow is left")
    descriptors = b.settled_descriptors()
    s.check(descriptors <= 2 * FLOWS + 128,
            f"{descriptors} descriptors for {FLOWS} flows")
    grown = b.memory_bytes() - memory
    s.check(grown < 8 << 20,
            f"memory grew by {grown >> 10} KiB over the last "
            f"{RELOADS - 16} reloads")
    for sock in held:
        sock.close()
    b.idle()
    flows = b.wait_flows(FLOWS, listener="echo")
    s.equal({f["end"] for f in flows}, {"--"}, "codes of the live flows")
    s.equal(b.metrics().total("braid_worker_log_dropped_total"), 0,
            "lost log lines")
    s.check(b.settled_descriptors() < 160,
            f"{b.settled_descriptors()} descriptors at the end")
    b.stop()


scenario.run(test, user="nobody", limit_seconds=280)
