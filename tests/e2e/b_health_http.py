#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name


class Checked:
    """A server and, on a port of its own, its health page."""

    def __init__(self, s, text):
        self.service = Origin(s, name(text))
        self.page = Origin(s, self.answer)
        self.status = "200 OK"
        self.heads = []
        self.mute = False

    def answer(self, sock, _number):
        head = b""
        while b"\r\n\r\n" not in head:
            part = sock.recv(4096)
            if not part:
                return
            head += part
        self.heads.append(head.decode())
        while self.mute:
            time.sleep(0.05)
        sock.sendall(f"HTTP/1.1 {self.status}\r\nContent-Length: 2\r\n"
                     "Connection: close\r\n\r\nhi".encode())


def test(s):
    """http checks: status, path, host and port are as configured; a wrong
    status, silence and nonsense each take the server out."""
    good, other = Checked(s, "good"), Checked(s, "other")
    port = s.port()

    def pool(checked, timeout="30s"):
        """Only where a server is mute its timeout may come."""
        return {
            "servers": {
                "x": {"address": checked.service.text},
                "spare": {"address": good.service.text}},
            "balance": "rr",
            "health": {"type": "http", "interval": "100ms",
                       "timeout": timeout, "rise": 1, "fall": 2,
                       "path": "/healthz?full", "host": "www.example.com",
                       "port": checked.page.address[1],
                       "status": ["200-299", 404], "fail_open": "0%"}}

    def config(**options):
        return {
            "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
            "pools": {"o": pool(other, **options)},
        }

    b = Braid(s, config())
    s.until(lambda: b.server("o", "x")["health"] == "up", "x is up")
    head = other.heads[0]
    s.check(head.startswith("GET /healthz?full HTTP/1."),
            f"the request line: {head.splitlines()[0]}")
    s.check("\r\nhost: www.example.com\r\n" in head.lower(), "the Host")
    s.equal(other.service.accepted, 0, "checks at the service's own port")

    def goes_down(why):
        # Both servers of the pool are checked at the same page.
        for server in ("x", "spare"):
            s.until(lambda: b.server("o", server)["health"] == "down",
                    f"{server} is down: {why}")
        s.equal(client.ask(("127.0.0.1", port)), (b"", client.RESET),
                "a connection then")

    def comes_up(why):
        for server in ("x", "spare"):
            s.until(lambda: b.server("o", server)["health"] == "up",
                    f"{server} is up: {why}")

    other.status = "503 Busy"
    goes_down("503")
    s.until(lambda: "503" in b.server("o", "x")["cause"],
            "the cause names 503")
    other.status = "404 Not Found"
    comes_up("404 is in the list")
    other.status = "301 Moved"
    goes_down("301 is not")
    other.status = "204 Fine"
    comes_up("204 is in the range")
    other.mute = True
    b.reload(config(timeout="400ms"))
    goes_down("no answer within the timeout")
    b.reload(config())
    other.mute = False
    comes_up("it answers again")
    other.status = "nonsense"
    goes_down("a status line that is none")
    other.status = "200 OK"
    comes_up("200")
    s.equal(set(client.names(("127.0.0.1", port), 10)), {"good", "other"},
            "who answers at the end")
    flows = b.wait_flows(1, end="SC")
    s.equal({f["server"] for f in flows}, {"-"},
            "server of connections that found none")
    b.stop()


scenario.run(test, user="root")
