# SPDX-License-Identifier: Apache-2.0
"""What is measured: one row of the table each.

A row's sample(run, proxy) does one measurement of one proxy and returns a
dict: "figure" is what is compared, everything else is reported beside it.
Sizes and times come from run.scale (full or --quick).
"""
import time

import load as loads
import procs

GB = 1e9
# A proxy still has its side of the last connections to close when the load
# has ended; that is part of what they cost.
SETTLE_SECONDS = 0.15
HALF_LOAD_CONNECTIONS = 64
IDLE_BEFORE = 50
IDLE_AFTER = 3500


class Row:
    """Defaults: Braid's figure as a ratio of the peer's, smaller is better."""

    role = "small"
    digits = 2
    goal_peer = "haproxy"
    # Goal as a ratio to goal_peer ("ratio"), a bound on the figure itself
    # ("bound"), or the peer's own figure, compared by pairs ("difference").
    goal_kind = "ratio"
    goal = None
    stretch = None
    with_direct = False
    braid_only = False

    def subjects(self, run):
        return list(run.proxies.values())

    def prepare(self, run, proxies):
        pass

    def finish(self, run):
        pass

    def pairs(self, run):
        return run.pairs

    def peer(self, samples):
        """Whom the goal is about."""
        return self.goal_peer


class Variants:
    """Of a row that has Braid beside itself: its prepare() starts processes
    of its own, in run.features."""

    braid_only = True

    def subjects(self, run):
        return list(run.features.values())

    def finish(self, run):
        for variant in run.features.values():
            for process in variant.instances.values():
                run.processes.stop(process)
        run.features.clear()


class WrkRow(Row):
    unit = "us CPU/request"

    def __init__(self, key, title, connections, goal, stretch):
        self.key = key
        self.title = title
        self.connections = connections
        self.goal = goal
        self.stretch = stretch
        self.close = False

    def load(self, run, proxy):
        return run.load.wrk(proxy.ports["small"], self.connections,
                            run.scale["wrk_s"], self.close)

    def sample(self, run, proxy):
        window = run.window(proxy, self.role)
        got = self.load(run, proxy)
        window.load_ended()
        time.sleep(SETTLE_SECONDS)
        out = window.result()
        out["figure"] = out["cpu_s"] * 1e6 / got["requests"]
        out["rate"] = got["per_s"]
        out["p50_us"] = got["p50_us"]
        out["p99_us"] = got["p99_us"]
        return out


class CloseRow(WrkRow):
    unit = "us CPU/connection"

    def __init__(self, key, title, connections, goal):
        super().__init__(key, title, connections, goal, None)
        self.close = True


class OneConnectionRow(Row):
    key = "p50"
    title = "p50 of a small request, 1 connection"
    unit = "us"
    digits = 1
    goal = 1.0
    with_direct = True

    def sample(self, run, proxy):
        window = run.window(proxy, self.role)
        got = run.load.http(proxy.ports["small"], 1, 0, run.scale["one_s"],
                            0.3)
        window.load_ended()
        out = window.result()
        out["figure"] = out["p50_us"] = got["p50_us"]
        out["p99_us"] = got["p99_us"]
        out["rate"] = got["per_second"]
        return out


class BulkRow(Row):
    role = "bulk"
    unit = "ms CPU/GB"
    digits = 1
    goal = 0.95

    def __init__(self, key, title, streams, reverse):
        self.key = key
        self.title = title
        self.streams = streams
        self.reverse = reverse

    def sample(self, run, proxy):
        window = run.window(proxy, self.role)
        got = run.load.iperf(proxy.ports["bulk"], run.scale["bulk_bytes"],
                             self.streams, self.reverse)
        window.load_ended()
        time.sleep(SETTLE_SECONDS)
        out = window.result()
        out["figure"] = out["cpu_s"] * 1e3 / (got["bytes"] / GB)
        out["gbit_s"] = got["gbit_s"]
        return out


class MemoryRow(Row):
    key = "memory"
    title = f"user memory per idle connection ({IDLE_AFTER} after " \
            f"{IDLE_BEFORE})"
    unit = "bytes"
    digits = 0
    goal_kind = "bound"
    goal = 600
    idle_after = IDLE_AFTER

    def connections(self, proxy):
        return loads.IdleConnections(proxy.ports["small"])

    def sample(self, run, proxy):
        proxy.restart(self.role)
        connections = self.connections(proxy)
        try:
            connections.grow_to(IDLE_BEFORE)
            time.sleep(run.scale["idle_s"])
            before = run.memory(proxy, self.role)
            connections.grow_to(self.idle_after)
            time.sleep(run.scale["idle_s"])
            connections.check()
            after = run.memory(proxy, self.role)
        finally:
            connections.close()
        time.sleep(1)
        count = self.idle_after - IDLE_BEFORE
        return {"figure": (after[0] - before[0]) / count,
                "rss_bytes": (after[1] - before[1]) / count,
                "base_mib": before[0] / 2**20}


class HalfLoadRow(Row):
    key = "half"
    title = "p99 at half load, added to direct"
    unit = "us"
    digits = 1
    goal_kind = "difference"
    with_direct = True

    def __init__(self):
        self.rate = 0
        self.direct_us = None

    def load(self, run, proxy, rate, seconds, warmup):
        # The load generator is the origin too: as two processes they wait
        # for each other's time slices, and that would be the p99.
        return run.load.http(proxy.ports["small"], HALF_LOAD_CONNECTIONS,
                             rate, seconds, warmup, run.origins["small"])

    def finish(self, run):
        run.start_origin("small")

    def prepare(self, run, proxies):
        """Half of what the slowest proxy can do, all at the same rate."""
        run.stop_origin("small")
        capacity = {}
        for proxy in proxies:
            if proxy.name == "direct":
                continue
            rates = [self.load(run, proxy, 0, run.scale["capacity_s"],
                               0.2)["per_second"] for _ in range(3)]
            capacity[proxy.name] = sorted(rates)[1]
        self.rate = int(min(capacity.values()) / 2)
        text = ", ".join(f"{k} {v:.0f}/s" for k, v in capacity.items())
        run.note(f"half load: {self.rate} requests/s; closed-loop capacity "
                 f"of {HALF_LOAD_CONNECTIONS} connections: {text}")

    def sample(self, run, proxy):
        window = run.window(proxy, self.role)
        got = self.load(run, proxy, self.rate, run.scale["half_s"], 0.5)
        window.load_ended()
        out = window.result()
        if got["done"] != got["sent"]:
            raise procs.BenchError(f"{proxy.name}: unanswered: {got}")
        out["p50_us"] = got["p50_us"]
        out["p99_us"] = got["p99_us"]
        out["rate"] = got["per_second"]
        # "direct" comes first in every round.
        if proxy.name == "direct":
            self.direct_us = got["p99_us"]
        out["figure"] = got["p99_us"] - self.direct_us
        return out


ROWS = [
    WrkRow("keep32", "CPU of a small keep-alive request, 32 connections", 32,
           0.80, 0.55),
    WrkRow("keep256", "CPU of a small keep-alive request, 256 connections",
           256, 0.80, 0.70),
    OneConnectionRow(),
    CloseRow("close", "CPU of a connection (Connection: close), 32 at a time",
             32, 0.85),
    BulkRow("up1", "CPU of a GB, client to server, 1 stream", 1, False),
    BulkRow("up8", "CPU of a GB, client to server, 8 streams", 8, False),
    BulkRow("down1", "CPU of a GB, server to client, 1 stream", 1, True),
    BulkRow("down8", "CPU of a GB, server to client, 8 streams", 8, True),
    MemoryRow(),
    HalfLoadRow(),
]
