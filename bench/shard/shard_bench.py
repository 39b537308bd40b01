# SPDX-License-Identifier: Apache-2.0
"""Runs the rows of bench/shard; see README.md. Started by run.sh."""
import argparse
import os
import platform
import resource
import shutil
import sys
import time

import peers
import procs
import session
import shard_rows
from lib.process import Failure, Skip

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.path.dirname(HERE)
PROXY_CORE = 1
LOAD_CORE = 0
PROGRAMS = ["taskset", "chrt", "setpriv", "nsenter", "ip", "tc", "nft", "ss",
            "curl", "nginx", "haproxy"]


class Run:
    """What a row needs of the whole."""

    def __init__(self, args, temp):
        self.args = args
        self.temp = temp
        self.rounds = args.rounds
        self.divide = 10 if args.quick else 1
        self.template = f"braid-{'plain' if args.plain else 'shard'}.yaml.in"
        self.proxy_core = PROXY_CORE
        self.load_core = LOAD_CORE
        self.bin = os.path.join(temp, "bin")
        os.mkdir(self.bin)
        # Where the service users may read them, and no build replaces them.
        for path in (f"{args.tools}/getter", f"{args.tools}/mixture",
                     args.braidd):
            target = os.path.join(self.bin, os.path.basename(path))
            shutil.copyfile(path, target)
            os.chmod(target, 0o755)
        self.braidd = os.path.join(self.bin, os.path.basename(args.braidd))
        self.files = shard_rows.stage.Files(temp)

    @staticmethod
    def say(text):
        print(text, file=sys.stderr, flush=True)


def facts(run, started):
    commit = peers.first_line(["git", "-C", HERE, "-c", "safe.directory=*",
                               "describe", "--always", "--dirty"])
    return {
        "kernel": platform.release(),
        "cores": f"{os.cpu_count()}; proxy on {PROXY_CORE}, the rest on "
                 f"{LOAD_CORE}",
        "braid": f"{peers.first_line([run.braidd, '-V'])}, commit {commit}",
        "origins": peers.first_line(["nginx", "-v"]),
        "haproxy": peers.first_line(["haproxy", "-v"]),
        "rmem_max": open("/proc/sys/net/core/rmem_max").read().strip(),
        "rounds": f"{run.rounds}{', quick' if run.args.quick else ''}"
                  f"{', proxies first' if run.args.first else ''}",
        "load": "%.1f at the start, %.1f at the end" % (
            run.load_before, os.getloadavg()[0]),
        "took": f"{(time.time() - started) / 60:.1f} minutes",
    }


def report(run, started, results, failures):
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(started))
    lines = [f"# Range shards, bench of {when}", ""]
    lines += [f"- {k}: {v}" for k, v in facts(run, started).items()]
    lines += [f"- FAILED {key}: {why}" for key, why in failures]
    lines += ["", "| | measured | goal | |", "|---|---|---|---|"]
    for result in results:
        lines += ["| " + " | ".join(row) + " |" for row in result.summary]
    for result in results:
        lines += ["", f"## {result.title}", ""]
        lines += result.lines
    return "\n".join(lines).rstrip() + "\n"


def measure_all(run):
    results, failures = [], []
    for key in run.args.rows:
        row = shard_rows.ROWS[key]
        run.say(f"{key}: {row.__doc__}")
        try:
            results.append(row(run))
        except (procs.BenchError, Failure) as why:
            text = " ".join(str(why).split())
            failures.append((key, text))
            run.say(f"FAILED {key}: {text}")
    return results, failures


def write_report(run, started, text):
    name = time.strftime("%Y-%m-%d-%H%M-shard", time.localtime(started))
    if run.args.plain:
        name += "-plain"
    if len(run.args.rows) == 1:
        name += "-" + run.args.rows[0]
    path = os.path.join(run.args.out,
                        ("tmp-" if run.args.quick else "") + name + ".md")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    print(text)
    print(f"written: {os.path.relpath(path)}")


def parse_args(argv):
    keys = list(shard_rows.ROWS)
    p = argparse.ArgumentParser(prog="bench/shard/run.sh", description=__doc__)
    p.add_argument("--rows", default=",".join(keys),
                   help="some of " + ",".join(keys))
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--quick", action="store_true",
                   help="a tenth of the bytes: does it work")
    p.add_argument("--plain", action="store_true",
                   help="the same rows without range shards: what they would "
                        "say of a proxy that has none")
    p.add_argument("--first", action="store_true",
                   help="the proxies go before all else on their core "
                        "(SCHED_FIFO), for a machine that others use")
    p.add_argument("--braidd", default=os.path.join(
        BENCH, "..", "build", "bin", "braidd"))
    p.add_argument("--out", default=os.path.join(BENCH, "results"),
                   help="folder of the report")
    p.add_argument("--tools", required=True, help=argparse.SUPPRESS)
    args = p.parse_args(argv)
    args.rows = args.rows.split(",")
    for name in args.rows:
        if name not in keys:
            p.error(f"unknown row {name}; known: {', '.join(keys)}")
    return args


def check_machine(args):
    if len(os.sched_getaffinity(0)) < 2:
        raise procs.BenchError("two cores are needed")
    missing = [x for x in PROGRAMS if not shutil.which(x)]
    if missing:
        raise procs.BenchError("not installed: " + ", ".join(missing))
    if not os.access(args.braidd, os.X_OK):
        raise procs.BenchError(f"no braidd at {args.braidd}; build it or name "
                               "it with --braidd")


def run_session(name, work):
    """The folder is in memory that is ours (run.sh)."""
    return session.run(name, work, prefix="braid-shard-", folder="/dev/shm",
                       failures=(procs.BenchError, Failure, Skip))


def work(args, temp):
    started = time.time()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    check_machine(args)
    os.sched_setaffinity(0, {LOAD_CORE})
    run = Run(args, temp)
    run.load_before = os.getloadavg()[0]
    results, failures = measure_all(run)
    write_report(run, started, report(run, started, results, failures))
    return 1 if failures else 0


if __name__ == "__main__":
    ARGS = parse_args(sys.argv[1:])
    sys.exit(run_session("bench/shard", lambda temp: work(ARGS, temp)))
