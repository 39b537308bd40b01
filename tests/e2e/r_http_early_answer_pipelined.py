#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, open_reader
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

PATH = f"/film/{2 << 20}"


class Early(RangeOrigin):
    """Answers a POST before it has its body."""

    def __init__(self, s, library):
        self.bodies = []
        super().__init__(s, library)

    def _request_body(self, wire, reader, request):
        if request.line[0] == "POST":
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        body = RangeOrigin._request_body(wire, reader, request)
        if request.line[0] == "POST":
            self.bodies.append(body)
        return body

    def _say(self, wire, method, answer, fault):
        if method != "POST":
            super()._say(wire, method, answer, fault)


def test(s):
    """The rest of a body whose answer has come already, and behind it, in the
    same segment, a request that is asked as a piece: the server gets the one
    and then the other."""
    library = Library()
    film = library.find(PATH).content
    servers = [Early(s, library) for _ in range(2)]
    port = s.port()
    b = Braid(s, {
        "global": {"workers": 1},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "p"}},
        "pools": {"p": {
            "servers": {f"s{i}": {"address": server.text}
                        for i, server in enumerate(servers)},
            "shard": {"range": "on", "min_size": "64KiB",
                      "piece": "256KiB"}}}})
    sock, reader = open_reader(("127.0.0.1", port))
    s.defer(sock.close)

    def downloaded(what):
        got = Download().read(reader, [film])
        s.equal((got.end, got.compare[0].is_whole()), (WHOLE, True), what)

    get = request(f"GET {PATH} HTTP/1.1")
    sock.sendall(get)
    downloaded("it is known to be large")
    sock.sendall(request("POST /x HTTP/1.1", "Content-Length: 10",
                         body=b"01234"))
    answer = reader.final_head()
    reader.body(answer, "POST", lambda data: None)
    sock.sendall(b"56789" + get)
    downloaded("what was asked behind the body")
    s.equal([body for server in servers for body in server.bodies],
            [b"0123456789"], "the body that a server got")
    s.check(b.metrics().total("braid_shard_injections_total") >= 1,
            "and it was asked as a piece")
    sock.close()
    b.idle()
    b.stop()


scenario.run(test)
