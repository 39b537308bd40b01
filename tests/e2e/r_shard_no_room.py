#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading

from lib import scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, nothing_left, open_reader
from lib.range_origin import Killed, Library, RangeOrigin
from lib.verbatim import request

SIZE, RATE_BPS = 4 << 20, 8 << 20
STRIKE = 1 << 20


class Mortal(RangeOrigin):
    """Ends in the middle of a piece; dooms: when, by path."""

    def __init__(self, s, library, dooms):
        self.dooms = dooms
        super().__init__(s, library, rate_bps=RATE_BPS)

    def _send_body(self, wire, answer, data):
        doom = self.dooms.get(answer.entity.content.name)
        if doom and doom.falls(len(data)):
            if doom.all:
                self.kill()
            raise Killed("as it was told")
        super()._send_body(wire, answer, data)


class Doom:
    """Meets one server, once, when STRIKE bytes have been said in all; all:
    its other connections, too."""

    def __init__(self, all_of_it):
        self.all, self.struck = all_of_it, False
        self._said = 0
        self._lock = threading.Lock()

    def falls(self, n):
        with self._lock:
            self._said += n
            if self._said <= STRIKE or self.struck:
                return False
            self.struck = True
            return True


def begin(s, limits, server):
    library, dooms, port = Library(), {}, s.port()
    servers = [Mortal(s, library, dooms) for _ in range(2)]
    b = Braid(s, {
        "global": {"workers": 1}, "limits": limits,
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "p"}},
        "pools": {"p": {
            "servers": {f"s{i}": {"address": o.text, **server}
                        for i, o in enumerate(servers)},
            "shard": {"range": "on", "min_size": "64KiB",
                      "piece": "256KiB"}}}})

    def download(name, all_of_it=True):
        path = f"/{name}/{SIZE}"
        doom = dooms[path] = Doom(all_of_it)
        sock, reader = open_reader(("127.0.0.1", port))
        s.defer(sock.close)
        sock.sendall(request(f"GET {path} HTTP/1.1"))
        got = Download(limit_s=100).read(
            reader, [library.find(path).content])
        s.check(doom.struck, "a server died")
        s.equal((got.end, got.compare[0].is_whole()), (WHOLE, True), name)
        s.say(f"longest gap {got.longest_gap_s * 1000:.0f} ms")
        sock.close()
        for o in servers:
            o.revive()
    return b, port, download


def alone(s, name, limits, server):
    """What it needs is what it has itself, ahead of its turn."""
    b, _, download = begin(s, limits, server)
    before = b.settled_descriptors()
    for turn in range(2):
        download(f"{name}-{turn}")
    nothing_left(s, b, before)
    b.stop()


def taken(s):
    """Another download has the one place that there is."""
    b, port, download = begin(s, {"shard_connections": 1}, {})
    holder, _ = open_reader(("127.0.0.1", port), receive_buffer=16384)
    s.defer(holder.close)
    holder.sendall(request(f"GET /held/{64 << 20} HTTP/1.1"))
    s.until(lambda: b.metrics().value("braid_shard_connections") == 1,
            "a client that does not read has the place")
    download("taken", all_of_it=False)
    holder.close()
    b.idle()
    b.stop()


def test(s):
    """A download whose server dies goes on although there is no room for one
    more connection: the one in place of the dead one needs none, and what is
    asked ahead gives way where a server takes no more."""
    taken(s)
    alone(s, "full", {}, {"max_connections": 1})
    alone(s, "one", {"shard_connections": 1}, {})


scenario.run(test)
