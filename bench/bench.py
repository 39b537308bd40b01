# SPDX-License-Identifier: Apache-2.0
"""Runs the benches; see README.md. Started by run.sh."""
import argparse
import os
import platform
import resource
import shutil
import sys
import time

import features
import http_rows
import load
import measure
import peers
import procs
import profiler_rows
import rows
import servers
import session
import table
import tls_rows

HERE = os.path.dirname(os.path.abspath(__file__))
PROXY_CORE = 1
LOAD_CORE = 0
PROGRAMS = ["taskset", "chrt", "setpriv", "wrk", "iperf3", "openssl"]
ROWS = rows.ROWS + tls_rows.ROWS + features.ROWS + http_rows.ROWS + \
    profiler_rows.ROWS
PORTS = 21 + len(http_rows.NAMES) + profiler_rows.PORTS
SERVERS_ROW = "servers"
# Other processes' share of a core above which a round is measured again, and
# how often that may happen in a row.
OTHERS_MAX = 0.10
REPEATS_MAX = 4

FULL = {"wrk_s": 5, "one_s": 2, "half_s": 4, "capacity_s": 1.5,
        "bulk_bytes": 8 * 10**9, "tls_bytes": 3 * 10**9, "idle_s": 1.0, "mixture_s": 3, "checks": 20, "reload_s": 12,
        "reloads": 20}
QUICK = {"wrk_s": 1, "one_s": 0.7, "half_s": 1, "capacity_s": 0.5,
         "bulk_bytes": 2 * 10**9, "tls_bytes": 10**9, "idle_s": 0.5, "mixture_s": 1, "checks": 5, "reload_s": 5,
         "reloads": 5}


class Run:
    """What rows, peers and servers need of the whole."""

    def __init__(self, args, temp):
        self.args = args
        self.temp = temp
        self.scale = QUICK if args.quick else FULL
        self.pairs = args.pairs or (2 if args.quick else 10)
        self.proxy_core = PROXY_CORE
        self.load_core = LOAD_CORE
        self.copy_programs(args)
        self.processes = procs.Processes()
        self.notes = []
        self.failures = []
        self.repeated = 0
        p = iter(procs.free_ports(args.port_base, PORTS))
        self.origins = {"small": next(p), "bulk": next(p)}
        self.ports = {name: {"small": next(p), "bulk": next(p)}
                      for name in peers.KINDS}
        self.extra_port = next(p)
        # The load itself is the origin of bulk over TLS.
        self.origins["tlsbulk"] = next(p)
        for name in peers.KINDS:
            self.ports[name].update(tls=next(p), tlsbulk=next(p))
        self.feature_ports = {name: next(p)
                              for name in features.NAMES + http_rows.NAMES}
        self.profiler_ports = {
            name: {listener: next(p) for listener in profiler_rows.LISTENERS}
            for name in profiler_rows.KINDS}
        self.echo_origin, self.files_origin = next(p), next(p)
        self.load = load.Load(self.bin, LOAD_CORE, peers.service_user("load"))
        self.proxies = {}
        self.features = {}
        self.origin = {}

    def copy_programs(self, args):
        """Where the service users may read them, and no build replaces them."""
        self.bin = os.path.join(self.temp, "bin")
        os.mkdir(self.bin)
        folder = os.path.dirname(os.path.abspath(args.braidd))
        for path in (f"{args.tools}/origin", f"{args.tools}/pacer",
                     f"{args.tools}/tlsload", f"{args.tools}/mixture",
                     args.braidd, f"{folder}/braidctl"):
            if os.path.exists(path):
                target = os.path.join(self.bin, os.path.basename(path))
                shutil.copyfile(path, target)
                os.chmod(target, 0o755)
        self.braidd = os.path.join(self.bin, os.path.basename(args.braidd))
        self.braidctl = os.path.join(self.bin, "braidctl")

    def note(self, text):
        self.notes.append(text)
        say(text)

    def fail(self, key, why):
        self.failures.append(f"{key}: {why}")
        say(f"FAILED {key}: {why}")

    def revive(self):
        """Fresh proxies, for rows after one that failed."""
        for proxy in self.proxies.values():
            for role in list(proxy.instances):
                proxy.restart(role)

    def start(self, names, roles):
        for role in ("small", "bulk"):
            self.start_origin(role)
        if roles & {"tls", "tlsbulk"}:
            peers.make_certificate(self.temp)
        for name in names:
            proxy = peers.KINDS[name](self)
            proxy.start(roles)
            self.proxies[name] = proxy
        self.direct = peers.Direct(self)

    def start_origin(self, role):
        if role in self.origin:
            return
        port = str(self.origins[role])
        argv = {"small": [f"{self.bin}/origin", "127.0.0.1", port],
                "bulk": ["iperf3", "-s", "-B", "127.0.0.1", "-p", port]}
        self.origin[role] = self.processes.start(
            f"origin ({role})", argv[role], LOAD_CORE, self.load.user,
            os.path.join(self.temp, f"origin-{role}.log"))
        self.origin[role].wait_port(self.origins[role])

    def stop_origin(self, role):
        if role in self.origin:
            self.processes.stop(self.origin.pop(role))

    def window(self, proxy, role):
        active = proxy.process(role).pids() if proxy.instances else []
        idle = [pid for p in [*self.proxies.values(),
                              *self.features.values()]
                for pid in p.all_pids() if pid not in active]
        origins = [pid for o in self.origin.values() for pid in o.pids()]
        return measure.Window(active, idle, origins, PROXY_CORE, LOAD_CORE)

    def memory(self, proxy, role):
        return measure.memory_bytes(proxy.process(role).pids())


def say(text):
    print(text, file=sys.stderr, flush=True)


def show_sample(row, name, sample):
    beside = [f"{head} {sample[key] * factor:.{digits}f}"
              for key, head, factor, digits in table.BESIDE
              if sample.get(key) is not None]
    say(f"  {row.key:8} {name:8} {sample['figure']:9.{row.digits}f} "
        f"{row.unit}; " + ", ".join(beside))


def measure_round(run, row, order):
    out = {}
    for proxy in order:
        out[proxy.name] = sample = row.sample(run, proxy)
        show_sample(row, proxy.name, sample)
    return out


def disturbed(got):
    return any(s.get("others", 0) > OTHERS_MAX for s in got.values())


def measure_row(run, row):
    """A B C, B C A, ...: nobody is always first or always after another.

    A round during which other processes worked is measured again as a whole,
    so that all proxies lose the same rounds; after REPEATS_MAX it stays.
    """
    say(row.title)
    row.prepare(run, list(run.proxies.values()))
    proxies = row.subjects(run)
    samples = {}
    repeats = REPEATS_MAX if not run.args.quick else 0
    for i in range(row.pairs(run)):
        turn = i % len(proxies)
        order = proxies[turn:] + proxies[:turn]
        if row.with_direct:
            order = [run.direct] + order
        got = measure_round(run, row, order)
        while repeats and disturbed(got):
            say("  disturbed by other processes, once more")
            repeats -= 1
            run.repeated += 1
            got = measure_round(run, row, order)
        for name in (["direct"] if row.with_direct else []) + \
                [p.name for p in proxies]:
            samples.setdefault(name, []).append(got[name])
    row.finish(run)
    return samples


def read_first(path, key):
    with open(path) as f:
        for line in f:
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
    return "unknown"


def sysctl(path):
    try:
        with open(f"/proc/sys/{path}") as f:
            return " ".join(f.read().split())
    except OSError:
        return "unknown"


def machine_facts(run, started):
    user = {n: p.user for n, p in run.proxies.items()}
    facts = {
        "when": time.strftime("%Y-%m-%d %H:%M", time.localtime(started)),
        "kernel": platform.release(),
        "CPU": f"{read_first('/proc/cpuinfo', 'model name')}, "
               f"{os.cpu_count()} cores",
        "memory": read_first("/proc/meminfo", "MemTotal"),
        "TCP": ", ".join(f"{k} {sysctl('net/ipv4/' + k)}" for k in (
            "tcp_congestion_control", "tcp_rmem", "tcp_wmem")),
        "cores": f"proxy alone on {PROXY_CORE}, load and origins on "
                 f"{LOAD_CORE}",
        "run as": ", ".join(f"{n} {u}" for n, u in user.items())
                  if os.geteuid() == 0 else "the calling user, all",
        "load": f"{peers.first_line(['wrk', '-v'])[:12].strip()}, "
                f"{peers.first_line(['iperf3', '-v'])}",
        "rounds": f"{run.pairs}{', quick' if run.args.quick else ''}; "
                  f"wrk {run.scale['wrk_s']} s, iperf3 "
                  f"{run.scale['bulk_bytes'] / 1e9:.0f} GB a sample",
        "settings": "conf/*.in; nginx proxy_buffer_size "
                    f"{peers.Nginx.buffers}",
    }
    for name, proxy in run.proxies.items():
        facts[name] = proxy.version()
    if "braid" in run.proxies:
        facts["braid"] += ", commit " + peers.first_line(
            ["git", "-C", HERE, "-c", "safe.directory=*", "describe",
             "--always", "--dirty"])
    return facts


def parse_args(argv):
    keys = [row.key for row in ROWS] + [SERVERS_ROW]
    p = argparse.ArgumentParser(prog="bench/run.sh", description=__doc__)
    p.add_argument("--rows", default=",".join(keys),
                   help="some of " + ",".join(keys))
    p.add_argument("--pairs", type=int, help="rounds of each row (10)")
    p.add_argument("--quick", action="store_true",
                   help="2 short rounds: does it work, not how fast is it")
    p.add_argument("--peers", default="braid,haproxy,nginx",
                   help="proxies to run; the first is compared with the "
                        "others")
    p.add_argument("--braidd", default=os.path.join(
        HERE, "..", "build", "bin", "braidd"))
    p.add_argument("--model", default="builtin",
                   help="profiler.model of the profiler's rows")
    p.add_argument("--port-base", type=int, default=28100)
    p.add_argument("--out", default=os.path.join(HERE, "results"),
                   help="folder of the report")
    p.add_argument("--tools", required=True, help=argparse.SUPPRESS)
    args = p.parse_args(argv)
    args.rows = args.rows.split(",")
    args.peers = args.peers.split(",")
    for what, known, given in (("row", keys, args.rows),
                               ("proxy", list(peers.KINDS), args.peers)):
        for name in given:
            if name not in known:
                p.error(f"unknown {what} {name}; known: {', '.join(known)}")
    return args


def check_machine(args):
    if len(os.sched_getaffinity(0)) < 2:
        raise procs.BenchError("two cores are needed: one for the proxy, one "
                               "for load and origins")
    missing = [x for x in PROGRAMS + [n for n in args.peers if n != "braid"]
               if not shutil.which(x)]
    if missing:
        raise procs.BenchError("not installed: " + ", ".join(missing))
    if "braid" in args.peers and not os.access(args.braidd, os.X_OK):
        raise procs.BenchError(f"no braidd at {args.braidd}; build it or name "
                               "it with --braidd")
    if args.port_base + PORTS > 32768:
        raise procs.BenchError("--port-base too high: ephemeral ports")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * rows.IDLE_AFTER + 512:
        raise procs.BenchError(f"RLIMIT_NOFILE is {hard}, too small")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def measure_all(run, args):
    """A row that fails is reported as failed; the others still count."""
    chosen = [row for row in ROWS if row.key in args.rows]
    run.start(args.peers, {row.role for row in chosen})
    results = []
    for row in chosen:
        if row.braid_only and "braid" not in run.proxies:
            continue
        try:
            results.append((row, measure_row(run, row)))
        except procs.BenchError as why:
            run.fail(row.key, why)
            row.finish(run)
            run.revive()
    big = None
    if SERVERS_ROW in args.rows and "braid" in run.proxies:
        say(f"configuration of {servers.SERVERS} servers")
        try:
            big = servers.measure(run, run.proxies["braid"])
        except procs.BenchError as why:
            run.fail(SERVERS_ROW, why)
    return results, big


def write_report(run, args, started, results, big):
    facts = machine_facts(run, started)
    if run.notes:
        facts["notes"] = "; ".join(run.notes)
    facts["rounds measured again"] = f"{run.repeated} (disturbed by others)"
    if run.failures:
        facts["FAILED"] = "; ".join(x.replace("\n", " ") for x in run.failures)
    facts["took"] = f"{(time.time() - started) / 60:.1f} minutes"
    text = table.report(facts, results, args.peers[0], args.peers[1:], big)
    name = time.strftime("%Y-%m-%d-%H%M.md", time.localtime(started))
    path = os.path.join(args.out, ("tmp-" if args.quick else "") + name)
    with open(path, "w") as f:
        f.write(text)
    print(text.split("\n## Rows\n")[0])
    print(f"written: {os.path.relpath(path)}")


def work(args, temp):
    started = time.time()
    check_machine(args)
    # The bench itself belongs to the load: it must not disturb the proxy.
    os.sched_setaffinity(0, {LOAD_CORE})
    run = Run(args, temp)
    try:
        results, big = measure_all(run, args)
    finally:
        run.processes.stop_all()
    write_report(run, args, started, results, big)
    return 1 if run.failures else 0


if __name__ == "__main__":
    ARGS = parse_args(sys.argv[1:])
    sys.exit(session.run("bench", lambda temp: work(ARGS, temp)))
