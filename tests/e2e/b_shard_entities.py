#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0

from lib import scenario
from lib.braidd import Braid
from lib.content import Content
from lib.downloads import RESET, WHOLE, Download, open_reader
from lib.proxy_header import Header
from lib.range_origin import MODIFIED, Entity, Library, RangeOrigin
from lib.verbatim import request

SIZE, SERVERS = 4 << 20, 3
SHARD = {"range": "on", "min_size": "64KiB", "piece": "128KiB", "max": 3}
RATE_BPS = 8 << 20
DEPLOYS = 5


class One(Library):
    """One file, of which each server may say something else."""

    def __init__(self, **said):
        super().__init__()
        self.entity = Entity(Content("file", SIZE), **said)

    def find(self, _path):
        return self.entity


class Proxied(RangeOrigin):
    """Behind a PROXY header on each connection."""

    def _talk(self, sock, number):
        self.clients.add(Header(sock).source)
        super()._talk(sock, number)

    clients = set()


def n_parts(origins):
    """How many ranges each server was asked for."""
    return [sum(1 for r in o.requests if r[2]) for o in origins]


def download(port, contents):
    sock, reader = open_reader(("127.0.0.1", port))
    with sock:
        sock.sendall(request("GET /file HTTP/1.1"))
        return Download(limit_s=60).read(reader, contents)


def make(s):
    """{pool: (servers, whether each is asked for pieces)}"""
    late = MODIFIED + 3600
    tags = [f'"own-{i}"' for i in range(SERVERS)]
    said = {
        "strong": [{}] * SERVERS,
        "weak": [{"etag": 'W/"same"'}] * SERVERS,
        "tags": [{"etag": tag} for tag in tags],
        "dates": [{"etag": tag} for tag in tags],
        "weak-dates": [{"etag": 'W/"same"'}] * SERVERS,
        "one-late": [{"etag": tag, "modified": late if i else MODIFIED}
                     for i, tag in enumerate(tags)],
        "proxied": [{}] * SERVERS}
    pools, origins = {}, {}
    for name, each in said.items():
        kind = Proxied if name == "proxied" else RangeOrigin
        origins[name] = [kind(s, One(**kw), rate_bps=RATE_BPS) for kw in each]
        shard = dict(SHARD)
        if name in ("dates", "weak-dates", "one-late"):
            shard["validator"] = "size+date"
        pools[name] = {"shard": shard, "balance": "rr", "servers": {
            f"s{i}": {"address": o.text}
            for i, o in enumerate(origins[name])}}
    pools["proxied"]["proxy_protocol"] = "v2"
    return pools, origins


def deploy(s, origins, port):
    """All servers get a new file in the middle of a download. Who has the old
    one open goes on with it."""
    old = Entity(Content("old", SIZE))
    new = Entity(Content("new", SIZE))
    ends = {}
    for i in range(DEPLOYS):
        for origin in origins:
            origin.library.entity = old
        at = SIZE * (i + 1) // (DEPLOYS + 1)

        def switch(got, at=at):
            if got.n >= at:
                for origin in origins:
                    origin.library.entity = new

        sock, reader = open_reader(("127.0.0.1", port))
        with sock:
            sock.sendall(request("GET /file HTTP/1.1"))
            got = Download(limit_s=60).read(
                reader, [old.content, new.content], switch)
        good = (got.end == WHOLE and
                any(c.is_whole() for c in got.compare)) or \
            (got.end == RESET and got.right)
        s.check(good, f"a new file after {at} bytes: {got}")
        ends[got.end] = ends.get(got.end, 0) + 1
        for origin in origins:
            origin.library.entity = new
        s.check(download(port, [new.content]).compare[0].is_whole(),
                "whoever asks next has the new file")
    s.say(f"how those ended: {ends}")


def test(s):
    """What proves that servers hold the same: strong tags, or size and date
    where the pool says so. Who does not is not asked, or not used; a new file
    on all servers in the middle gives the old one whole or an error. Each
    connection carries the PROXY header of the client."""
    pools, origins = make(s)
    ports = {name: s.port() for name in pools}
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{p}", "pool": n}
                      for n, p in ports.items()}, "pools": pools})
    content = Content("file", SIZE)
    parts = {}
    split = ("strong", "dates", "weak-dates", "proxied")
    for name, port in ports.items():
        # Who was silent for a while is asked by another one.
        while name not in parts or (name in split and not min(parts[name])):
            Proxied.clients.clear()
            got = download(port, [content])
            s.equal((got.status, got.end, got.compare[0].is_whole()),
                    (200, WHOLE, True), f"{name}: the whole file")
            parts[name] = n_parts(origins[name])
        s.say(f"{name}: ranges asked {parts[name]}, from all servers")
    s.equal(parts["weak"], [0] * SERVERS, "weak tags: nobody is asked for "
                                          "parts")
    for name in ("tags", "one-late"):
        flow = b.wait_flows(1, listener=name)[0]
        s.say(f"{name}: home {flow['server']}, {flow.get('migrations')} "
              "migrations")
    s.equal({c[0] for c in Proxied.clients}, {"127.0.0.1"},
            "the client in PROXY headers")
    s.equal(len(Proxied.clients), 1, "and it is one connection of a client")
    deploy(s, origins["strong"], ports["strong"])
    b.idle()
    b.stop()


scenario.run(test)
