#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import time

from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.scenario import find_program
from lib.servers import wait_listening

N = int(os.environ.get("BRAID_E2E_SERVERS", "300"))
FIGURES_SECONDS = 10
NGINX = """
daemon off;
worker_processes 1;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 8192; multi_accept on; }}
http {{
	access_log off;
	server {{
		listen 0.0.0.0:{port} ssl backlog=4096;
		ssl_certificate {cert};
		ssl_certificate_key {key};
		return 200 "";
	}}
}}
"""


def thread_seconds(pid, name):
    """CPU time of the thread of that name."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii") as f:
            head, _, rest = f.read().rpartition(")")
        if head.endswith("(" + name):
            ticks = sum(map(int, rest.split()[11:13]))
            return ticks / os.sysconf("SC_CLK_TCK")
    raise KeyError(name)


def test(s):
    """Very many TLS servers, each at an address of its own, are checked by a
    handshake every 2 s: all are seen up, down and up again. With
    BRAID_E2E_SERVERS=10000 it prints what that costs."""
    s.need("nginx")
    authority = Authority(s)
    cert, key = authority.issue("back", "DNS:back.example.com")
    folder = s.make_folder("nginx")
    port = s.port()
    config = s.write("nginx/nginx.conf", NGINX.format(
        user="root" if s.is_root else "nobody", folder=folder, port=port,
        cert=cert, key=key))

    def start():
        process = s.start([find_program("nginx"), "-p", folder, "-c", config,
                           "-e", f"{folder}/error.log"], "nginx")
        wait_listening(port, process, "nginx")
        return process

    def states():
        counts = {}
        for row in b.ctl("servers", "o")["servers"]:
            counts[row["health"]] = counts.get(row["health"], 0) + 1
        return counts

    def values():
        m = b.metrics()
        return {n: m.total(f"braid_health_{n}_total") for n in
                ("checks", "checks_failed", "queued", "overdue", "late")}

    def print_figures():
        cpu, before = thread_seconds(b.pid, "braid-control"), values()
        begun = time.monotonic()
        time.sleep(FIGURES_SECONDS)
        cpu = thread_seconds(b.pid, "braid-control") - cpu
        took, after = time.monotonic() - begun, values()
        more = {n: int(after[n] - before[n]) for n in after}
        s.say(f"{more['checks'] / took:.0f} checks a second, control "
              f"{100 * cpu / took:.1f} % of a core, "
              f"{1e6 * cpu / max(more['checks'], 1):.0f} us a check, private "
              f"memory {b.memory_bytes() / (1 << 20):.1f} MiB; {more}")

    nginx = start()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{s.port()}", "pool": "o"}},
        "pools": {"o": {
            "tls": {"ca": authority.cert, "sni": "back.example.com"},
            "health": {"type": "tls", "interval": "2s", "timeout": "20s",
                       "rise": 1, "fall": 1},
            "servers": {f"s{i}": {"address": f"127.{1 + i // 62500}."
                                  f"{i // 250 % 250}.{1 + i % 250}:{port}"}
                        for i in range(N)}}}})
    s.until(lambda: states() == {"up": N}, f"{N} servers are up", 120)
    if "BRAID_E2E_SERVERS" in os.environ:
        # The second checks are spread over an interval, the third in step.
        time.sleep(4)
        print_figures()
    s.until(lambda: values()["checks"] > 2 * N, "they are checked again", 60)
    nginx.end()
    s.until(lambda: states() == {"down": N}, "all are down", 120)
    start()
    s.until(lambda: states() == {"up": N}, "all are up again", 120)
    b.stop()


scenario.run(test)
