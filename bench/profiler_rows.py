# SPDX-License-Identifier: Apache-2.0
"""What the profiler costs and gains: Braid beside itself.

Each subject is a process of its own with the same listeners: the profiler off,
observing or acting, and, for the paths, one that never splices and one that
always does.
"""
import os
import pwd
import statistics
import time

import peers
import procs
import rows

# name: profiler.mode, pools.*.splice
KINDS = {"off": ("off", "auto"), "observe": ("observe", "auto"),
         "act": ("act", "auto"), "relay": ("off", "never"),
         "splice": ("off", "always")}
LISTENERS = ["small", "echo", "bulk", "files"]
PORTS = len(KINDS) * len(LISTENERS) + 2

# Small turns, files of 64 KiB to 4 MiB and streams: about 3 Gbit/s in all.
MIXED = {"echoes": 64, "period_ms": 20, "files": 200, "streams": 32}
# Keys typed beside downloads that take all they can get.
BESIDE = {"echoes": 8, "period_ms": 10, "downloads": 16}


class Subject(peers.Braid):
    def __init__(self, run, name):
        self.own_ports = run.profiler_ports[name]
        run.ports[name] = {"small": self.own_ports["small"]}
        peers.USERS[name] = peers.USERS["braid"]
        self.name = name
        super().__init__(run)

    def start_role(self, role):
        path = self.make_dir(role)
        conf = os.path.join(path, "braid.yaml")
        mode, splice = KINDS[self.name]
        values = self.values("small", path)
        values.update({f"{k.upper()}_PORT": v
                       for k, v in self.own_ports.items()})
        values.update(MODE=mode, SPLICE=splice, MODEL=self.run.args.model,
                      SMALL_ORIGIN=self.run.origins["small"],
                      ECHO_ORIGIN=self.run.echo_origin,
                      FILES_ORIGIN=self.run.files_origin,
                      BULK_ORIGIN=bulk_socket(self.run))
        peers.fill("braid-profiler.yaml.in", conf, values)
        self.launch(role, [self.run.braidd, "-f", conf], path)


def bulk_socket(run):
    """The load makes it, in a folder of its own."""
    folder = os.path.join(run.temp, "origin")
    if not os.path.isdir(folder):
        os.mkdir(folder)
        if os.geteuid() == 0 and run.load.user:
            entry = pwd.getpwnam(run.load.user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
    return os.path.join(folder, "bulk.sock")


class ProfilerRow(rows.Variants, rows.Row):
    goal_peer = "off"
    names = ["off", "observe", "act"]

    def prepare(self, run, proxies):
        for name in self.names:
            run.features[name] = Subject(run, name)
            run.features[name].start({"small"})


class SmallRow(ProfilerRow):
    goal = 1.03

    def __init__(self, key, title, close):
        self.key = key
        self.title = title
        self.close = close
        self.unit = "us CPU/connection" if close else "us CPU/request"

    def sample(self, run, proxy):
        row = rows.WrkRow(self.key, self.title, 32, self.goal, None)
        row.close = self.close
        return row.sample(run, proxy)


class MixtureRow(ProfilerRow):
    listener = "files"
    options = MIXED

    def origin(self, run):
        return run.files_origin

    def load(self, run, proxy):
        return run.load.mixture(
            proxy.own_ports["echo"], run.echo_origin,
            proxy.own_ports[self.listener], self.origin(run),
            run.scale["mixture_s"], 0.3, self.options)

    def figure(self, got, out):
        raise NotImplementedError

    def sample(self, run, proxy):
        window = run.window(proxy, self.role)
        got = self.load(run, proxy)
        window.load_ended()
        time.sleep(rows.SETTLE_SECONDS)
        out = window.result()
        for key in ("p50_us", "p99_us", "gbit_s"):
            out[key] = got[key]
        out["figure"] = self.figure(got, out)
        return out


class MixedRow(MixtureRow):
    key = "mixed"
    title = "Profiler: CPU of a mixture at a fixed rate"
    unit = "ms CPU/s"
    digits = 1
    goal = 1.0
    names = ["act", "relay", "splice", "off"]

    def figure(self, got, out):
        if got["missing"]:
            raise procs.BenchError(f"{got['missing']} files did not come")
        return out["cpu_s"] * 1e3 / got["ran_s"]

    def peer(self, samples):
        """The better of the two that know nothing of flows."""
        return min(("relay", "splice"), key=lambda name: statistics.median(
            s["figure"] for s in samples[name]))


class InteractiveRow(MixtureRow):
    key = "inter"
    title = "Profiler: p99 of echoes beside 16 downloads at full rate"
    unit = "us"
    digits = 0
    goal = 0.5
    names = ["off", "act"]
    listener = "bulk"
    options = BESIDE

    def origin(self, run):
        return bulk_socket(run)

    def figure(self, got, out):
        return got["p99_us"]


ROWS = [
    SmallRow("pkeep", "Profiler: CPU of a keep-alive request, 32 connections",
             False),
    SmallRow("pclose", "Profiler: CPU of a connection, 32 at a time", True),
    MixedRow(),
    InteractiveRow(),
]
