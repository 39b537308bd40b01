# SPDX-License-Identifier: Apache-2.0
"""Measures DNS servers; see README.md. Started by run.sh."""
import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import time

import dns_rows
import dns_servers
import measure
import peers
import procs
import session
import table

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER_CORE = 1
LOAD_CORE = 0
LOAD_ROW, SPLIT_ROW = "load", "split"
KEYS = [row.key for row in dns_rows.ROWS] + [LOAD_ROW, SPLIT_ROW]
OTHERS_MAX = 0.10
PROGRAMS = {"knot": "knotd", "nsd": "nsd", "gdnsd": "gdnsd"}


def say(text):
    print(text, file=sys.stderr, flush=True)


class Run:
    """What rows and servers need of the whole."""

    def __init__(self, args, temp):
        self.args = args
        self.temp = temp
        self.seconds = 0.7 if args.quick else args.seconds
        self.pairs = args.pairs or (2 if args.quick else 10)
        self.server_core, self.load_core = SERVER_CORE, LOAD_CORE
        self.load_user = peers.service_user("load")
        self.processes = procs.Processes()
        self.failures = []
        self.bin = os.path.join(temp, "bin")
        os.mkdir(self.bin)
        for path in (f"{args.tools}/dnsecho", f"{args.tools}/dnsload",
                     args.braidd):
            if os.path.exists(path):
                target = os.path.join(self.bin, os.path.basename(path))
                shutil.copyfile(path, target)
                os.chmod(target, 0o755)
        self.braidd = os.path.join(self.bin, os.path.basename(args.braidd))
        ports = procs.free_ports(args.port_base, len(dns_servers.KINDS))
        by_name = dict(zip(dns_servers.KINDS, ports))
        self.servers = [dns_servers.KINDS[name](self, by_name[name])
                        for name in args.servers]
        self.static_zone = self.zone(dns_rows.STATIC_NAMES, "static")
        self.static_names = self.list_of(
            "n", dns_rows.STATIC_NAMES, "static.names")
        self.pick_names = self.list_of(
            "r", dns_servers.RESOURCES, "pick.names")
        self.one_name = self.list_of("r", 1, "one.names")

    def zone(self, names, stem):
        path = os.path.join(self.temp, stem + ".zone")
        if not os.path.exists(path):
            dns_servers.write_zone(path, names)
            os.chmod(path, 0o644)
        return path

    def list_of(self, letter, n, stem):
        path = os.path.join(self.temp, stem)
        with open(path, "w") as f:
            for i in range(n):
                f.write(f"{letter}{i}.example.org A\n")
        os.chmod(path, 0o644)
        return path

    def load(self, protocol, port, seconds, names, options):
        options = {"warmup": 0.2, **options}
        warmup = options.pop("warmup")
        argv = [f"{self.bin}/dnsload", protocol, "127.0.0.1", str(port),
                str(seconds), str(warmup), names,
                *(f"{k}={v}" for k, v in options.items())]
        status, out, err = procs.run(argv, self.load_core, self.load_user,
                                     seconds + 30)
        if status:
            raise procs.BenchError(f"dnsload failed: {out}{err}")
        return json.loads(out)

    def window(self, server):
        idle = [pid for other in self.servers if other is not server
                for pid in other.pids()]
        return measure.Window(server.pids(), idle, [], self.server_core,
                              self.load_core)

    def fail(self, key, why):
        self.failures.append(f"{key}: {why}")
        say(f"FAILED {key}: {why}")


def measure_round(run, row, order):
    out = {}
    for server in order:
        out[server.name] = s = row.sample(run, server)
        say(f"  {row.key:8} {server.name:6} {s['figure']:7.2f} {row.unit}, "
            f"{s['rate']:.0f}/s, core {s['proxy_core']:.0%}, others "
            f"{s['others']:.0%}")
    return out


def measure_row(run, row):
    """A B C, B C A: nobody is always first; a round beside others' work is
    measured again, four times at most."""
    say(row.title)
    servers = row.subjects(run)
    for server in servers:
        server.start(run.static_zone, row.picks)
    samples, repeats = {}, 0 if run.args.quick else 4
    for i in range(run.pairs):
        turn = i % len(servers)
        order = servers[turn:] + servers[:turn]
        got = measure_round(run, row, order)
        while repeats and any(s["others"] > OTHERS_MAX for s in got.values()):
            repeats -= 1
            got = measure_round(run, row, order)
        for name, sample in got.items():
            samples.setdefault(name, []).append(sample)
    for server in servers:
        server.stop()
    return samples


def median_of(samples, name, key):
    return statistics.median(s[key] for s in samples[name])


def row_lines(row, samples):
    lines = [f"### {row.title}", ""]
    if row.goal:
        lines += [f"Goal: {row.goal}.", ""]
    lines += [f"| | {row.unit}: median [quartiles] (min to max) | ratio to "
              f"{row.base} | per second | p50 us | p99 us | core % | lost "
              "| others % |", "|---" * 9 + "|"]
    for name in samples:
        ratio = ""
        if row.base in samples and name != row.base:
            r = table.ratios(samples, name, row.base)
            ratio = f"{statistics.median(r):.2f} " \
                    f"[{table.quantile(r, 0.25):.2f}, " \
                    f"{table.quantile(r, 0.75):.2f}]"
        cells = [name, table.spread(table.figures(samples, name), row.digits),
                 ratio, f"{median_of(samples, name, 'rate'):.0f}"]
        for key, factor, digits in (
                ("p50_us", 1, 0), ("p99_us", 1, 0), ("proxy_core", 100, 0),
                ("lost", 1, 0), ("others", 100, 0)):
            has = key in samples[name][0]
            cells.append(f"{median_of(samples, name, key) * factor:.{digits}f}"
                         if has else "-")
        lines.append("| " + " | ".join(cells) + " |")
    return lines + [""]


def report(run, started, results, loading, split):
    lines = [f"# DNS bench of "
             f"{time.strftime('%Y-%m-%d %H:%M', time.localtime(started))}", "",
             f"- kernel: {platform.release()}, {os.cpu_count()} cores; server "
             f"alone on core {SERVER_CORE}, load on {LOAD_CORE}",
             f"- rounds: {run.pairs}, {run.seconds} s a sample"
             f"{', quick' if run.args.quick else ''}"]
    lines += [f"- {s.name}: {s.version()}" for s in run.servers]
    lines += [f"- FAILED {x}".replace("\n", " ") for x in run.failures]
    lines += ["", "## Rows", ""]
    for row, samples in results:
        lines += row_lines(row, samples)
    if loading:
        lines += [f"### A zone of {run.args.names} names", "",
                  "| | seconds to the first answer | bytes a name |",
                  "|---|---|---|"]
        lines += [f"| {name} | {seconds:.2f} | {size:.0f} |"
                  for name, (seconds, size) in loading.items()] + [""]
    if split:
        lines += ["### The split", ""] + dns_rows.split_lines(split) + [""]
    return "\n".join(lines)


def parse_args(argv):
    p = argparse.ArgumentParser(prog="bench/dns/run.sh", description=__doc__)
    p.add_argument("--rows", default=",".join(KEYS),
                   help="some of " + ",".join(KEYS))
    p.add_argument("--servers", default=",".join(dns_servers.KINDS),
                   help="some of " + ",".join(dns_servers.KINDS))
    p.add_argument("--pairs", type=int, help="rounds of each row (10)")
    p.add_argument("--seconds", type=float, default=3, help="of a sample")
    p.add_argument("--names", type=int, default=1000000, help="of row load")
    p.add_argument("--quick", action="store_true",
                   help="2 short rounds: does it work, not how fast is it")
    p.add_argument("--braidd", default=os.path.join(
        HERE, "..", "..", "build", "bin", "braidd"))
    p.add_argument("--port-base", type=int, default=28200)
    p.add_argument("--out", default=os.path.join(HERE, "..", "results"))
    p.add_argument("--tools", required=True, help=argparse.SUPPRESS)
    args = p.parse_args(argv)
    args.rows, args.servers = args.rows.split(","), args.servers.split(",")
    for known, given in ((KEYS, args.rows),
                         (dns_servers.KINDS, args.servers)):
        for name in given:
            if name not in known:
                p.error(f"unknown: {name}; known: {', '.join(known)}")
    return args


def check_machine(args):
    if len(os.sched_getaffinity(0)) < 2:
        raise procs.BenchError("two cores are needed: server and load")
    missing = [program for name, program in PROGRAMS.items()
               if name in args.servers and not shutil.which(program)]
    if "dnsperf" in args.rows and not shutil.which("dnsperf"):
        missing.append("dnsperf")
    if missing:
        raise procs.BenchError("not installed: " + ", ".join(missing))
    if "braid" in args.servers and not os.access(args.braidd, os.X_OK):
        raise procs.BenchError(f"no braidd at {args.braidd}; build it or name "
                               "it with --braidd")


def measure_all(run):
    results, loading, split = [], {}, {}
    for row in dns_rows.ROWS:
        if row.key not in run.args.rows:
            continue
        try:
            results.append((row, measure_row(run, row)))
        except procs.BenchError as why:
            run.fail(row.key, why)
            for server in run.servers:
                server.stop()
    try:
        if LOAD_ROW in run.args.rows:
            loading = dns_rows.measure_loading(run, run.args.names)
        for server in run.servers:
            if SPLIT_ROW in run.args.rows and server.name == "braid":
                server.zone = run.static_zone
                split = dns_rows.measure_split(run, server)
    except procs.BenchError as why:
        run.fail("load, split", why)
    return results, loading, split


def work(args, temp):
    check_machine(args)
    os.sched_setaffinity(0, {LOAD_CORE})
    started = time.time()
    run = Run(args, temp)
    try:
        text = report(run, started, *measure_all(run))
    finally:
        run.processes.stop_all()
    name = time.strftime("%Y-%m-%d-%H%M-dns.md", time.localtime(started))
    path = os.path.join(args.out, ("tmp-" if args.quick else "") + name)
    with open(path, "w") as f:
        f.write(text)
    print(text)
    print(f"written: {os.path.relpath(path)}")
    return 1 if run.failures else 0


if __name__ == "__main__":
    ARGS = parse_args(sys.argv[1:])
    sys.exit(session.run("bench/dns", lambda temp: work(ARGS, temp)))
