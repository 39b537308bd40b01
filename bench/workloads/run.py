#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives known behaviour through a real braidd and writes what it recorded,
labelled by who made it. See README.md."""
import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time

import generators
import judge_run
import programs
import table
from braid import Braid
from flows import Workload, one_by_one, spread
from ports import NOWHERE, ports_of

# The port that a generator's protocol has.
HOME = {"http": 80, "http2": 80, "h2": 80, "ssh": 22, "telnet": 23,
        "redis": 6379, "memcached": 11211, "postgres": 5432, "mysql": 3306,
        "mongo": 27017, "cassandra": 9042, "ldap": 389, "kafka": 9092,
        "amqp": 5672, "nats": 4222, "mqtt": 1883, "stomp": 61613,
        "smtp": 25, "imap": 143, "pop3": 110, "git": 9418, "rsync": 873,
        "ftp": 21, "socks": 1080, "smb": 445, "vnc": 5900, "rdp": 3389,
        "irc": 6667, "xmpp": 5222, "rtmp": 1935, "rtsp": 554, "hls": 8080,
        "dash": 443, "ranges": 80, "progressive": 80, "limited": 8080,
        "radio": 8000, "websocket": 443, "events": 443, "poll": 443,
        "feed": 443, "sql": 5432, "fastcgi": 9000, "mssql": 1433, "dns": 53,
        "terminal": 8080}
FLOWS = {"request": 15, "bulk": 11, "stream": 16, "interactive": 18,
         "push": 13}
SLOW = "bulk-http-large"  # one after the other, and few


def in_namespace(judge):
    """Again in a network namespace of our own, where all ports are free. The
    judge's servers are others': all their processes end with us, and they
    write nothing into the system's /run and /var/log."""
    if os.environ.get("BRAID_WORKLOADS_NET"):
        return
    if judge and os.geteuid() != 0:
        raise SystemExit("the judge set needs root: PostgreSQL, sshd and "
                         "icecast run as users of their own")
    os.environ["BRAID_WORKLOADS_NET"] = "1"
    option = ["--net"] if os.geteuid() == 0 else ["-r", "--net"]
    script = "ip link set lo up"
    if judge:
        option += ["--mount", "--pid", "--fork",
                   "--kill-child=TERM", "--mount-proc"]
        script += (" && mount -t tmpfs tmpfs /run && mkdir /run/sshd"
                   " && mount -t tmpfs tmpfs /var/log")
    os.execvp("unshare", [
        "unshare", *option, "--", "sh", "-c", script + ' && exec "$@"', "sh",
        sys.executable, "-B", *sys.argv])


async def _train(arguments, folder):
    loads, manifest, listeners = [], {}, {}
    for i, (kind, name, function) in enumerate(
            generators.generators()):
        if arguments.only and arguments.only not in name:
            continue
        home = HOME.get(name.split("-")[1], NOWHERE)
        addresses = [(f"127.0.1.{i + 1}", port) for port in ports_of(home, i)]
        load = Workload(name, function, addresses, arguments.seed)
        origin = await load.start()
        for n, (address, port) in enumerate(addresses):
            listeners[f"{name}-{n}"] = (address, port, origin)
            manifest[f"{name}-{n}"] = (kind, name)
        loads.append((kind, load))
    braid = Braid(arguments.braidd, folder, listeners, "none")
    try:
        total, jobs = 0, []
        for kind, load in loads:
            n = max(1, FLOWS[kind] * arguments.percent // 100)
            if load.name == SLOW:
                n = max(1, n // 4)
                jobs.append(one_by_one(load, n))
            else:
                jobs.append(spread(load, n, arguments.seconds))
            total += n
        await asyncio.gather(*jobs)
        failures = [text for _, load in loads for text in load.failures]
        rows = await asyncio.to_thread(braid.rows, total - len(failures))
    finally:
        status = braid.stop()
    if status:
        failures.append(f"braidd ended with exit status {status}")
    return rows, manifest, total, failures


def _tune(arguments, folder):
    found = programs.available()
    manifest, listeners = {}, {}
    origins = programs.Origins(folder)
    braid, status = None, 0
    try:
        for i, program in enumerate(found):
            port = origins.start(program)
            listeners[program.name] = (f"127.0.1.{i + 1}", program.port, port)
            manifest[program.name] = (program.kind, program.name)
        braid = Braid(arguments.braidd, folder, listeners, "none")
        failures = []
        for program in found:
            failures += program.run(listeners[program.name][:2], folder)
        rows = braid.all_rows()
    finally:
        if braid:
            status = braid.stop()
        origins.stop()
    if status:
        failures.append(f"braidd ended with exit status {status}")
    least = {program.name: program.least_bytes for program in found}
    rows = [row for row in rows if least[row["_listener"]] <=
            int(row["_up_bytes"]) + int(row["_down_bytes"])]
    return rows, manifest, len({row["_flow"] for row in rows}), failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=("train", "tune", "judge"))
    parser.add_argument("--braidd", required=True, type=os.path.abspath)
    parser.add_argument("-o", "--output", required=True,
                        metavar="FILE.csv")
    parser.add_argument("--seconds", type=float, default=90,
                        help="in which all flows begin")
    parser.add_argument("--percent", type=int, default=100, help="of flows")
    parser.add_argument("--only", help="generators whose name contains it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", metavar="FILE.so", type=os.path.abspath,
                        help="judge: asked in place of the built-in one")
    arguments = parser.parse_args()
    in_namespace(arguments.set == "judge")
    # Whatever ends us, processes end and folders go.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="braid-workloads.") as folder:
        if arguments.set == "train":
            rows, manifest, total, failures = asyncio.run(
                _train(arguments, folder))
        elif arguments.set == "tune":
            rows, manifest, total, failures = _tune(arguments, folder)
        else:
            rows, manifest, failures = judge_run.record(arguments, folder)
            total = len({row["_flow"] for row in rows})
    for text in failures:
        print(f"failed: {text}", file=sys.stderr)
    if not rows:
        raise SystemExit("nothing was recorded")
    found = len({row["_flow"] for row in rows})
    label = judge_run.label if arguments.set == "judge" else table.label
    rows = label(rows, manifest)
    table.write(rows, arguments.output)
    print(table.summary(rows), end="")
    print(f"{found} of {total} flows, {len(rows)} rows, "
          f"{time.monotonic() - began:.0f} s")
    return 0 if found == total and not failures else 1


if __name__ == "__main__":
    sys.exit(main())
