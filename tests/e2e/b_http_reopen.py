#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import socket
import threading

from lib import client, http1, scenario
from lib.braidd import Braid
from lib.origins import Origin, reset
from lib.verbatim import request

GET = request("GET /path HTTP/1.1")
POST = request("POST /path HTTP/1.1", "Content-Length: 2", body=b"ab")


class Moody:
    """Answers `stays` requests on a connection, then does what it is told:
    ends it, or hears one more request and ends or resets it instead of an
    answer."""

    def __init__(self, s, stays, then, proxied=False):
        self.stays, self.then, self.proxied = stays, then, proxied
        self.heard = []
        self.may_end = threading.Event()
        self.origin = Origin(s, self._serve)

    def _serve(self, sock, number):
        reader = http1.Reader(sock.recv)
        if self.proxied and not reader.line().startswith(b"PROXY TCP4 127."):
            return
        for _ in range(self.stays):
            if not self._answer(sock, reader, number):
                return
        if self.then == "close":
            self.may_end.wait(20)
            return
        if self._hear(reader) and self.then == "reset":
            reset(sock)

    def _hear(self, reader):
        head = reader.head()
        if head:
            reader.exactly(int(head.get("Content-Length", 0)), lambda _: None)
            self.heard.append(head.line[0])
        return head

    def _answer(self, sock, reader, number):
        head = self._hear(reader)
        if head:
            body = f"connection {number}".encode()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
                         % len(body) + body)
        return head


class Talk:
    """Requests one after the other on one connection."""

    def __init__(self, s, connect):
        self.sock = connect()
        s.defer(self.sock.close)
        self.reader = http1.Reader(self.sock.recv)

    def ask(self, data):
        self.sock.sendall(data)
        head, body = self.reader.head(), bytearray()
        self.reader.exactly(int(head.get("Content-Length")), body.extend)
        return body.decode()

    def end(self):
        self.sock.shutdown(socket.SHUT_WR)
        return self.reader.head()


def test(s):
    """A client's connection outlives its servers': those that close between
    two requests, and those that fail before the answer to a GET. A POST is
    not said twice. Each connection begins with its PROXY header, where one is
    wanted. Each request is a line in the access log."""
    moods = {"close": Moody(s, 2, "close", True), "late": Moody(s, 2, "late"),
             "reset": Moody(s, 2, "reset")}
    ports = {name: s.port() for name in moods}
    b = Braid(s, {
        "listeners": {name: {"bind": f"127.0.0.1:{port}", "pool": name}
                      for name, port in ports.items()},
        "pools": {name: {"shard": {"range": "auto"},
                         "proxy_protocol": "v1" if mood.proxied else "off",
                         "servers": {"o": {"address": mood.origin.text}}}
                  for name, mood in moods.items()}})

    def talk(name):
        return Talk(s, lambda: client.connect(("127.0.0.1", ports[name])))

    # An end between two requests is seen before the next one is said.
    closing = talk("close")
    for number in range(3):
        for _ in range(2):
            s.equal(closing.ask(GET), f"connection {number}", "served by")
        moods["close"].may_end.set()
        s.until(lambda: b.server("close", "o")["connections"] == 0,
                f"connection {number} is gone, and braidd knows")
    s.equal(closing.ask(POST), "connection 3", "a POST behind the end")
    s.check(closing.end() is None, "the client's end is answered")
    s.equal(moods["close"].heard.count("GET"), 6, "no request said twice")

    # It comes with the request: a GET is said again.
    for name in ("late", "reset"):
        other = talk(name)
        for i in range(6):
            s.equal(other.ask(GET), f"connection {i // 2}", f"{name} {i}")
        s.equal(moods[name].heard.count("GET"), 8, f"{name}: said twice")
        heard = len(moods[name].heard)
        other.sock.sendall(POST)
        s.equal(client.read_end(other.sock)[0], b"", f"{name}: a POST is not")
        s.equal(moods[name].heard[heard:], ["POST"], "and was said once")

    flows = b.wait_flows(7, listener="close")
    s.equal(len(flows), 7, "a line for each request")
    s.equal({flow["end"] for flow in flows}, {"--"}, "and its end")
    s.equal({int(flow["bytes_in"]) for flow in flows},
            {len(GET), len(POST)},
            "its own bytes")
    b.stop()


scenario.run(test)
