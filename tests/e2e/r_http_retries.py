#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, open_reader
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

PATH = "/small/100"


class Closing(RangeOrigin):
    """Ends the connection behind each answer, without saying so before."""

    def _one(self, wire, reader):
        super()._one(wire, reader)
        return False


def test(s):
    """What failed while one request was asked is forgotten with its answer:
    each request of a connection has all its attempts, and all servers."""
    library = Library()
    servers = [Closing(s, library) for _ in range(2)]
    port = s.port()
    b = Braid(s, {
        "global": {"workers": 1},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "p"}},
        "pools": {"p": {
            "balance": "first", "connect": {"retries": 1},
            "servers": {f"s{i}": {"address": server.text,
                                   "max_connections": 10}
                        for i, server in enumerate(servers)},
            "shard": {"range": "auto"}}}})
    sock, reader = None, None
    for turn in range(6):
        servers[turn % 2].kill()
        servers[1 - turn % 2].revive()
        s.until(lambda: not sum(row["connections"]
                                for row in b.ctl("servers")["servers"]),
                f"no server has a connection before {turn}")
        if not sock:
            sock, reader = open_reader(("127.0.0.1", port))
            s.defer(sock.close)
        sock.sendall(request(f"GET {PATH} HTTP/1.1"))
        got = Download().read(reader, [library.find(PATH).content])
        s.equal((got.end, got.compare and got.compare[0].is_whole()),
                (WHOLE, True), f"answer {turn}")
    s.equal([flow["retries"] for flow in b.wait_flows(6)],
            ["1", "0", "1", "0", "1", "0"], "attempts of each")
    sock.close()
    b.idle()
    b.stop()


scenario.run(test)
