#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import hashlib
import os
import time

from lib import client, paths, scenario
from lib.braidd import Braid
from lib.http1 import Reader
from lib.servers import Nginx, wait_port

SIZE = 24 << 20
RATES = [40, 40, 40, 40]  # Mbit/s
SERVERS_PORT, PORT = 9000, 8080


class Watched:
    """Bytes as they come: their digest, the longest wait between two reads,
    and something that is done when `mark` of them are there."""

    def __init__(self, mark, on_mark):
        self.digest = hashlib.sha256()
        self.mark, self.on_mark = mark, on_mark
        self.n = 0
        self.stall = 0.0
        self.last = time.monotonic()

    def __call__(self, data):
        now = time.monotonic()
        self.stall = max(self.stall, now - self.last)
        self.last = now
        self.digest.update(data)
        self.n += len(data)
        if self.on_mark and self.n >= self.mark:
            self.on_mark()
            self.on_mark = None


def start_server(s, net, i, data):
    """A replica as a copy that keeps times makes it: equal ETags."""
    host = net.address(i)
    nginx = Nginx(s, f"s{i + 1}", host=host, port=SERVERS_PORT,
                  namespace=net.servers[i])
    path = os.path.join(nginx.www, "file")
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, 0o644)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    net.servers[i].inside(lambda: wait_port(SERVERS_PORT, nginx.name, host))
    return {"address": nginx.text}


def download(s, net, data, what, on_mark=None):
    """The bytes through Braid must be those, whatever happens in the middle;
    how many each link carried."""
    before = net.carried()[0]
    sock = net.client.inside(lambda: client.connect((paths.NEAR, PORT)))
    with sock:
        sock.sendall(b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
        reader = Reader(sock.recv)
        head = reader.final_head()
        s.equal((head.status, head.get("Content-Length")), (200, str(SIZE)),
                f"{what}: an answer as one server gives it")
        begun = time.monotonic()
        seen = Watched(SIZE // 3, on_mark)
        reader.exactly(SIZE, seen)
    s.equal(seen.digest.hexdigest(), hashlib.sha256(data).hexdigest(),
            f"{what}: its SHA-256")
    links = [b - a for a, b in zip(before, net.carried()[0])]
    s.say(f"{SIZE * 8 / (time.monotonic() - begun) / 1e6:.0f} Mbit/s, longest "
          f"stall {seen.stall * 1e3:.0f} ms, MiB by link " +
          " ".join(f"{n / (1 << 20):.1f}" for n in links))
    return links


def test(s):
    """One download over four shaped links with stock nginx behind each: all of
    them carry a part; one falls silent, another one's host resets, and the
    bytes are right."""
    net = paths.Paths(s, RATES)
    data = os.urandom(SIZE)
    servers = {f"s{i + 1}": start_server(s, net, i, data)
               for i in range(len(RATES))}
    b = Braid(s, {
        "listeners": {"web": {"bind": f"{paths.NEAR}:{PORT}", "pool": "p"}},
        "pools": {"p": {"servers": servers, "shard": {"range": "on"}}},
    }, namespace=net.middle)

    # A server that the machine stops for a while is left, and others carry
    # its part: not each time.
    s.until(lambda: min(download(s, net, data, "undisturbed")) >= SIZE // 8,
            "every link carried its part")
    # Bytes that come while it looks are no sign of a broken connection.
    s.equal(net.middle.inside(b.metrics).total(
        "braid_shard_migrations_total", cause="dead"), 0,
        "connections that were given up as dead")
    download(s, net, data, "a silent link", lambda: net.silence(1))
    net.heal(1)
    download(s, net, data, "a server that resets",
             lambda: net.refuse(2, SERVERS_PORT))
    b.stop()


scenario.run(test, user="root")
