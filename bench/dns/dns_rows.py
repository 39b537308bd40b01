# SPDX-License-Identifier: Apache-2.0
"""What is measured; bench.py's rows are the model (bench/rows.py)."""
import json
import math
import os
import re

import procs
from dns_servers import ECHOES, POPS, RESOURCES

STATIC_NAMES = 1000
# A client's key is the first 20 bits of its subnet, so these are as many keys.
SPLIT_KEYS = 1000000
SPLIT_BITS = 20
SPLIT_BASE = "0.0.0.0"
MOVED = (("pop1", 30), ("pop2", 50), ("pop3", 20))


class Row:
    digits = 2
    unit = "us CPU a query"
    picks = False
    protocol = "udp"
    braid_only = False
    base = "echo"
    goal = ""

    def subjects(self, run):
        return [s for s in run.servers if self.takes(s)]

    def takes(self, server):
        return (server.tcp or self.protocol == "udp") and \
            (server.picks or not self.picks or server.name in ECHOES)

    def options(self, run):
        raise NotImplementedError

    def names(self, run):
        return run.static_names

    def sample(self, run, server):
        window = run.window(server)
        got = run.load(self.protocol, server.port, run.seconds,
                       self.names(run), self.options(run))
        window.load_ended()
        out = window.result()
        check(got, server.name, self)
        out.update(got, figure=out["cpu_s"] * 1e6 / got["all"],
                   rate=got["per_s"])
        return out


def check(got, name, row):
    """A figure is made of good answers only."""
    asked = max(got["queries"], 1)
    if got["bad"] or got["wrong_rcode"] or got["truncated"]:
        raise procs.BenchError(f"{name}: wrong answers: {got}")
    if got["lost"] > asked / 1000 or got["reconnects"]:
        raise procs.BenchError(f"{name}: lost answers: {got}")
    if name not in ECHOES and got["empty"] and row.key != "nx":
        raise procs.BenchError(f"{name}: answers without records: {got}")


class Static(Row):
    key, title = "static", f"{STATIC_NAMES} names, A, 200 in flight"
    goal = "<= 1.15 of the echo"

    def options(self, run):
        return {"window": 200}


class Segments(Row):
    key, title = "segments", "the same, the load sends segments"
    goal = "<= 1.15 of the echo; a rate >= 1.2 of knot's"

    def options(self, run):
        return {"window": 200, "segments": 1}


class Ports(Row):
    key, title = "ports", "the same from 200 ports, one in flight from each"

    def options(self, run):
        return {"window": 200, "sockets": 200}


class Paced(Row):
    key, title = "paced", "static at 20,000 a second"

    def options(self, run):
        return {"rate": 20000, "window": 2000}


class StaticEdns(Row):
    key, title = "edns", "static with EDNS, a client cookie and a subnet"

    def options(self, run):
        return {"window": 200, "ecs": 24, "ecs_random": 1, "cookie": 1}


class Pick(Row):
    key, title = "pick", f"{RESOURCES} weighted resources, subnet varies"
    goal = "<= 1.30 of the echo"
    picks = True

    def names(self, run):
        return run.pick_names

    def options(self, run):
        return {"window": 200, "ecs": 24, "ecs_random": 1}


class PickSegments(Pick):
    key, title = "picksegments", "the same, the load sends segments"

    def options(self, run):
        return {**super().options(run), "segments": 1}


class PickPorts(Pick):
    key = "pickports"
    title = "the same from 200 ports, one in flight from each"

    def options(self, run):
        return {**super().options(run), "sockets": 200}


class Tcp(Row):
    key, title = "tcp", "TCP, 8 connections, 50 in flight on each"
    protocol = "tcp"
    base = "knot"
    goal = "queries a second >= knot's"

    def options(self, run):
        return {"window": 400}


class Dnsperf(Row):
    key, title = "dnsperf", "static names by dnsperf, 200 in flight"
    unit = "us CPU a query"
    goal = "<= 1.15 of the echo"

    def sample(self, run, server):
        window = run.window(server)
        status, out, err = procs.run(
            ["dnsperf", "-s", "127.0.0.1", "-p", str(server.port), "-d",
             run.static_names, "-l", str(run.seconds), "-c", "8", "-q", "200",
             "-T", "1"], run.load_core, run.load_user, run.seconds + 30)
        window.load_ended()
        done = re.search(r"Queries completed:\s+(\d+)", out)
        rate = re.search(r"Queries per second:\s+([\d.]+)", out)
        if status or not done or not rate:
            raise procs.BenchError(f"dnsperf: {out}{err}")
        result = window.result()
        result.update(figure=result["cpu_s"] * 1e6 / int(done[1]),
                      rate=float(rate[1]))
        return result


ROWS = [Static(), Segments(), Ports(), Paced(), StaticEdns(), Pick(),
        PickSegments(), PickPorts(), Tcp(), Dnsperf()]


# -- loading -----------------------------------------------------------------

def measure_loading(run, names):
    """{server: (seconds to the first answer, bytes a name)}: the memory beyond
    that with an almost empty zone."""
    out = {}
    small, large = run.zone(1, "small"), run.zone(names, "large")
    for server in run.servers:
        if server.name in ECHOES:
            continue
        server.start(small)
        before = server.memory_bytes()
        server.start(large)
        after = server.memory_bytes()
        out[server.name] = (server.started_s, (after - before) / names)
        server.stop()
    return out


# -- the split ---------------------------------------------------------------

def choices(run, server, path):
    got = run.load("udp", server.port, 60, run.one_name,
                   {"window": 64, "ecs": SPLIT_BITS, "ecs_base": SPLIT_BASE,
                    "ecs_count": SPLIT_KEYS, "count": SPLIT_KEYS,
                    "map": path, "warmup": 0})
    if got["bad"] or got["lost"] > SPLIT_KEYS / 1000:
        raise procs.BenchError(f"split: {got}")
    with open(path, "rb") as f:
        numbers = f.read()
    names = {number: re.sub(r".*(pop\d).*", r"\1", name)
             for name, (number, _) in got["targets"].items()}
    return [names.get(x) for x in numbers]


def g_test(counts, weights):
    """Against the weights: 2 sum O ln(O/E), and its p-value with two degrees
    of freedom, where the distribution is exp(-x/2)."""
    n, all_weights = sum(counts.values()), sum(w for _, w in weights)
    g = 2 * sum(counts[pop] * math.log(counts[pop] * all_weights / (n * w))
                for pop, w in weights)
    return g, math.exp(-g / 2)


def count(chosen):
    return {pop: chosen.count(pop) for pop, _ in POPS}


def measure_split(run, server):
    path = os.path.join(run.temp, "map")
    # The load runs as another user and has to write here.
    with open(path, "wb"):
        pass
    os.chmod(path, 0o666)
    server.restart_with(POPS)
    before = choices(run, server, path)
    server.restart_with(MOVED)
    after = choices(run, server, path)
    server.stop()
    # What was lost on the way says nothing about the key.
    both = [(a, b) for a, b in zip(before, after) if a and b]
    moved = sum(a != b for a, b in both) / len(both)
    distance = sum(abs(a - b) for (_, a), (_, b) in zip(POPS, MOVED)) / 200
    g, p = g_test(count(before), POPS)
    g_after, p_after = g_test(count(after), MOVED)
    return {"keys": len(both), "counts": count(before), "g": g, "p": p,
            "counts_after": count(after), "g_after": g_after,
            "p_after": p_after, "moved": moved, "distance": distance,
            "goal_moved": 1.3 * distance + 0.01}


def split_lines(got):
    if not got:
        return []
    return [f"- {got['keys']} keys, weights {dict(POPS)}: "
            f"{json.dumps(got['counts'])}, G {got['g']:.2f}, p "
            f"{got['p']:.3f} ({'passed' if got['p'] > 0.01 else 'FAILED'})",
            f"- weights changed to {dict(MOVED)}: "
            f"{json.dumps(got['counts_after'])}, G {got['g_after']:.2f}, p "
            f"{got['p_after']:.3f} "
            f"({'passed' if got['p_after'] > 0.01 else 'FAILED'})",
            f"- keys moved by it: {got['moved']:.4f}, total-variation distance "
            f"{got['distance']:.2f}, goal <= {got['goal_moved']:.2f} "
            f"({'met' if got['moved'] <= got['goal_moved'] else 'missed'})"]
