# SPDX-License-Identifier: Apache-2.0
"""The rows without limits of the network: what splitting costs where it cannot
gain, and what it takes in memory."""
import contextlib
import statistics
import threading
import time

import load
import measure
import peers
import procs
import stage
import table
from outcome import MB, Result, all_of, get_named, rates, say

GB = 10**9
BODIES = 4  # of 1 GB, on one connection
SLOW_CLIENTS = 1000
SLOW_BYTES_PER_S = 10_000
SMALL = {"echoes": 64, "period_ms": 20}
SMALL_SECONDS = 4
SLOW_SECONDS = 60


def port(name):
    return {**stage.LISTENERS, **stage.PEER_PORTS}[name]


def one_sample(run, on, name):
    size = GB // run.divide
    bodies = on.get(port(name), size, count=BODIES, digest=False)
    if len(bodies) < BODIES or not all(b["right"] for b in bodies):
        raise procs.BenchError(f"short: {bodies[-1]}")
    gb = size * BODIES / GB
    sample = {
        "mbit_s": gb * 8e3 / sum(b["seconds"] for b in bodies),
        "cpu_ms_gb": bodies[-1]["cpu_s"] * 1e3 / gb,
    }
    say(run, f"{name:7} {sample['mbit_s']:8.0f} Mbit/s, CPU "
        f"{sample['cpu_ms_gb']:6.1f} ms a GB")
    return sample


def alternate(run, names, rounds, piece):
    """{name: samples}; each name also once with SHA-256."""
    got = {name: [] for name in names}
    with stage.Stage(run, piece=piece) as on:
        on.start_braid(run.template)
        if "haproxy" in names:
            on.start_haproxy()
        for name in names:
            get_named(run, on, name, port(name), GB // run.divide)
        for i in range(rounds):
            turn = i % len(names)
            for name in names[turn:] + names[:turn]:
                got[name].append(one_sample(run, on, name))
    return got


def ratio(got, name, base, key):
    return [a[key] / b[key] for a, b in zip(got[name], got[base])]


def quartiles(values):
    return f"{statistics.median(values):.3f} [{table.quantile(values, .25):.3f}, " \
           f"{table.quantile(values, .75):.3f}]"


def loop_table(result, got):
    result.table(
        ["", "Mbit/s", "CPU ms a GB", "Mbit/s, each", "CPU ms a GB, each"],
        [(name, f"{statistics.median(rates(v)):.0f}",
          f"{statistics.median(s['cpu_ms_gb'] for s in v):.1f}",
          all_of(rates(v), 0), all_of([s["cpu_ms_gb"] for s in v]))
         for name, v in got.items()])


def loop(run):
    """Loopback, nothing shaped: splitting can only cost."""
    result = Result("Unshaped loopback, 4 GB a sample")
    got = alternate(run, ["off", "auto", "on", "haproxy"], 3 * run.rounds,
                    "1MiB")
    rate = ratio(got, "auto", "off", "mbit_s")
    result.goal("loopback, range: auto, rate of unsharded", quartiles(rate),
                ">= 0.97", statistics.median(rate) >= 0.97)
    result.report("the same, CPU a GB", quartiles(
        ratio(got, "auto", "off", "cpu_ms_gb")))
    for key, what in (("mbit_s", "rate"), ("cpu_ms_gb", "CPU a GB")):
        result.report(f"loopback, range: on, {what} of unsharded",
                      quartiles(ratio(got, "on", "off", key)))
    loop_table(result, got)
    return result


def cpu(run):
    """CPU of a GB from four unshaped servers, pieces of 4 MiB, against splice."""
    result = Result("CPU of a GB, four unshaped servers, pieces up to 4 MiB")
    got = alternate(run, ["off", "on"], 3 * run.rounds, "4MiB")
    cost = ratio(got, "on", "off", "cpu_ms_gb")
    result.goal("CPU a GB, four lanes of spliced", quartiles(cost), "<= 1.3",
                statistics.median(cost) <= 1.3)
    loop_table(result, got)
    return result


class Watch:
    """Memory of braidd and of its sockets, looked at while a row runs."""

    def __init__(self, on):
        self.on = on
        self.private = self.kernel = 0
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.end.wait(0.1):
            self.private = max(self.private,
                               measure.memory_bytes(self.on.braid.pids())[0])
            self.kernel = max(self.kernel, self.on.paths.kernel_bytes())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()


def memory(run):
    """What a download of 1 GB takes, four paths of 250 Mbit/s."""
    result = Result("Memory of a download of 1 GB, four paths of 250 Mbit/s")
    rows = []
    with stage.Stage(run, [250] * 4) as on:
        on.start_braid(run.template)
        # Whatever the first request touches once is not of the download.
        for name in ("off", "on", "auto"):
            on.get_right(stage.LISTENERS[name], MB // 10)
        for name in ("off", "on", "on", "auto"):
            time.sleep(1)
            before = measure.memory_bytes(on.braid.pids())[0]
            with Watch(on) as seen:
                body = on.get_right(stage.LISTENERS[name], GB // run.divide)
            more = seen.private - before
            rows.append((name, more, seen.kernel, body["mbit_s"]))
            say(run, f"{name:5} private +{more / 1024:.0f} KiB, kernel "
                f"{seen.kernel / 2**20:.1f} MiB, {body['mbit_s']:.0f} Mbit/s")
    worst = max(r[1] for r in rows if r[0] != "off")
    result.goal("1 GB: user memory of braidd, KiB more than before",
                f"{worst / 1024:.0f}", "<= 256", worst <= 256 << 10)
    result.report("1 GB: kernel memory of all sockets, MiB at most",
                  f"{max(r[2] for r in rows) / 2**20:.1f}")
    result.table(["range", "private memory, KiB more", "kernel memory, MiB",
                  "Mbit/s"],
                 [(r[0], f"{r[1] / 1024:.0f}", f"{r[2] / 2**20:.1f}",
                   f"{r[3]:.0f}") for r in rows])
    return result


def small_turns(run, on):
    """The p99 in us of small turns at a fixed rate through another pool. They
    go before all else on the load's core: what they wait for is the proxy."""
    ends = load.Load(run.bin, run.load_core, peers.service_user("load"))
    return ends.mixture(stage.LISTENERS["small"], stage.SMALL_ORIGIN,
                        stage.LISTENERS["off"], stage.UNUSED_ORIGIN,
                        SMALL_SECONDS, 0.5, SMALL)["p99_us"]


class SlowClients:
    """Connected when opened; gone when closed."""

    def __init__(self, run, on, listener):
        self.on, self.listener = on, listener
        self.file = run.files.make(200 * MB // run.divide)
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.got = self.error = None

    def run(self):
        try:
            self.got = self.on.getter(
                ["slow", self.on.near, stage.LISTENERS[self.listener],
                 f"/{self.file}", SLOW_CLIENTS, SLOW_BYTES_PER_S,
                 SLOW_SECONDS], lambda _: self.ready.set())[-1]
        except procs.BenchError as why:
            self.error = why
        self.ready.set()

    def __enter__(self):
        self.thread.start()
        if not self.ready.wait(30):
            raise procs.BenchError("slow clients have not all begun")
        if self.error:
            raise self.error
        return self

    def __exit__(self, *_):
        self.on.end_getters()
        self.thread.join()
        if self.got and self.got["failed"]:
            raise procs.BenchError(f"slow clients: {self.got}")


def slow(run):
    """1,000 slow clients of large objects, and small turns beside them."""
    result = Result(f"{SLOW_CLIENTS} slow clients, {SLOW_BYTES_PER_S // 1000} "
                    "KB/s each")
    got = {"nobody": [], "off": [], "auto": []}
    cpu_share = {name: [] for name in got}
    lanes = {"off": [], "auto": []}
    with stage.Stage(run) as on:
        on.start_braid(run.template)
        for i in range(run.rounds):
            for name in list(got)[i % 3:] + list(got)[:i % 3]:
                with SlowClients(run, on, name) if name != "nobody" \
                        else contextlib.nullcontext():
                    count = measure.CpuCount(on.braid.pids())
                    start = time.monotonic()
                    got[name].append(small_turns(run, on))
                    cpu_share[name].append(
                        100 * count.seconds() / (time.monotonic() - start))
                    if name in lanes:
                        lanes[name].append(on.server_connections())
                say(run, f"{name:6} p99 {got[name][-1]:.0f} us, braidd "
                    f"{cpu_share[name][-1]:.1f} % of a core, connections to "
                    f"servers {lanes.get(name, [0])[-1]}")
    most = max(lanes["auto"])
    result.goal("slow clients: connections to servers a client",
                f"{most / SLOW_CLIENTS:.3f}", "1", most <= SLOW_CLIENTS)
    result.table(["beside", "p99, us, in order", "braidd, % of a core",
                  "connections to servers"],
                 [(name, all_of(v, 0), all_of(cpu_share[name]),
                   all_of(lanes.get(name, []), 0))
                  for name, v in got.items()])
    for base in ("nobody", "off"):
        more = [a / b for a, b in zip(got["auto"], got[base])]
        result.report(f"slow clients: p99 of small turns beside them, auto, "
                      f"of {'without them' if base == 'nobody' else base}",
                      quartiles(more))
    return result


ROWS = {"loop": loop, "cpu": cpu, "memory": memory, "slow": slow}
