# SPDX-License-Identifier: Apache-2.0
"""A configuration of 10,000 servers: checking it, reloading it under load.

Braid only: the others check a file with other rules. The pool under load has
1,000 of the servers, all of them there (one origin at 1,000 addresses), so
that every connection depends on what the reload carries over; the rest are in
nine pools nobody asks for. Each reload finds a changed file (weights of 500
servers, one server more or less).
"""
import ipaddress
import os
import statistics
import subprocess
import threading
import time

import procs

SERVERS = 10000
POOLS = 10
LOAD_CONNECTIONS = 32
GOAL_MS = 200
ORIGIN_FIRST = "127.9.0.1"


def address(pool, i, origin_port):
    if pool == 0:
        first = ipaddress.ip_address(ORIGIN_FIRST)
        return f"{first + i}:{origin_port}"
    return f"127.{100 + pool}.{i // 250}.{i % 250 + 1}:8080"


def write_config(path, user, port, origin_port, variant):
    d = os.path.dirname(path)
    lines = ["global:", "  workers: 1", f"  state_dir: {d}",
             f"  control: {d}/control.sock", f"  user: {user}",
             "  drain: 1s", "  log: {access: false}",
             "api:", "  listen: off", "listeners:",
             f'  big: {{bind: "127.0.0.1:{port}", pool: p0}}', "pools:"]
    for pool in range(POOLS):
        lines += [f"  p{pool}:", "    servers:"]
        # One server comes and goes with each reload.
        count = SERVERS // POOLS - (pool == 1 and variant == 1)
        for i in range(count):
            weight = 1 + variant if i % 20 == 0 else 1
            lines.append(f'      s{i}: {{address: "'
                         f'{address(pool, i, origin_port)}", '
                         f"weight: {weight}}}")
    temporary = path + ".new"
    with open(temporary, "w") as f:
        f.write("\n".join(lines) + "\n")
    os.rename(temporary, path)


def check_ms(run, proxy, path, times):
    out = []
    for _ in range(times):
        argv = procs.wrap([run.braidd, "-c", "-f", path], run.proxy_core,
                          proxy.user)
        start = time.monotonic()
        done = subprocess.run(argv, capture_output=True, text=True,
                              timeout=60, check=False)
        out.append((time.monotonic() - start) * 1e3)
        if done.returncode:
            raise procs.BenchError(f"check failed: {done.stdout[-2000:]}"
                                   f"{done.stderr[-2000:]}")
    return out


def reload_ms(run, proxy, path, times):
    """Wall time of each reload's verdict while wrk runs; wrk's counts."""
    seconds = run.scale["reload_s"]
    port = run.extra_port
    socket_path = os.path.join(os.path.dirname(path), "control.sock")
    result = {}

    def load():
        try:
            # A connection per request: most of them meet a reload somewhere
            # between accept and connect.
            result["wrk"] = run.load.wrk(port, LOAD_CONNECTIONS, seconds,
                                         close=True, may_fail=True)
        except procs.BenchError as why:
            result["error"] = why

    thread = threading.Thread(target=load)
    thread.start()
    end = time.monotonic() + seconds - 1
    out = []
    try:
        time.sleep(0.5)
        while len(out) < times and time.monotonic() < end:
            write_config(path, proxy.user or "root", port,
                         run.origins["small"], (len(out) + 1) % 2)
            argv = procs.wrap([run.braidctl, "-s", socket_path, "reload"],
                              run.load_core, proxy.user)
            start = time.monotonic()
            done = subprocess.run(argv, capture_output=True, text=True,
                                  timeout=60, check=False)
            out.append((time.monotonic() - start) * 1e3)
            if done.returncode:
                raise procs.BenchError(f"reload failed: {done.stdout}"
                                       f"{done.stderr}")
            time.sleep(0.2)
    finally:
        thread.join()
    if "error" in result:
        raise result["error"]
    return out, result["wrk"]


def measure(run, proxy):
    """Returns the row's figures; starts a braidd of its own for them."""
    path = os.path.join(proxy.make_dir("servers"), "braid.yaml")
    d = os.path.dirname(path)
    port = run.extra_port
    write_config(path, proxy.user or "root", port, run.origins["small"], 0)
    checks = check_ms(run, proxy, path, run.scale["checks"])
    origin = run.processes.start(
        "origin (servers)", [f"{run.bin}/origin", ORIGIN_FIRST,
                             str(run.origins["small"]), str(SERVERS // POOLS)],
        run.load_core, run.load.user, os.path.join(run.temp, "servers.log"))
    process = run.processes.start("braid (10,000 servers)",
                                  [run.braidd, "-f", path], run.proxy_core,
                                  proxy.user, os.path.join(d, "log"))
    try:
        origin.wait_port(run.origins["small"], ORIGIN_FIRST)
        process.wait_port(port)
        reloads, wrk = reload_ms(run, proxy, path, run.scale["reloads"])
    finally:
        run.processes.stop(process)
        run.processes.stop(origin)
    return {"check_ms": checks, "reload_ms": reloads,
            "requests": wrk["requests"], "failed": wrk["failed"],
            "check_median": statistics.median(checks),
            "reload_median": statistics.median(reloads),
            "reload_max": max(reloads)}
