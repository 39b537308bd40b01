#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, reset
from lib.verbatim import request

BODY = b"x" * 100
HEARD = threading.Event()  # what is never answered
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def site(sock, _number):
    """Keeps its connections; /slow takes its time, /half is cut off."""
    data = b""
    while True:
        more = sock.recv(65536)
        if not more:
            return
        data += more
        while b"\r\n\r\n" in data:
            head, data = data.split(b"\r\n\r\n", 1)
            path = head.split(b" ")[1]
            if path.startswith(b"/slow"):
                time.sleep(0.2)
            if path.startswith(b"/half"):
                sock.sendall(OK + BODY[:40])
                time.sleep(0.1)
                reset(sock)
                return
            if path.startswith(b"/quit"):
                sock.sendall(OK + BODY)
                return
            if path.startswith(b"/never"):
                HEARD.set()
                continue
            sock.sendall(MISSING if path.startswith(b"/no") else OK + BODY)


def test(s):
    """In a pool with shard.range each request is a line of the access log,
    with times and bytes of its own; so is the one that was not answered."""
    origin = Origin(s, site)
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}},
                        "shard": {"range": "auto"}}}})
    address = ("127.0.0.1", port)
    seen = 0

    def lines(n):
        nonlocal seen
        seen += n
        rows = b.wait_flows(seen)
        s.equal(len(rows), seen, "lines in all")
        return rows[-n:]

    s.say("-- three requests on a connection")
    asks = [request(f"GET {path} HTTP/1.1")
            for path in ("/a?b=c&d", "/slow", "/no")]
    rows, passed = [], []
    with client.connect(address) as sock:
        for ask, n in zip(asks, (len(OK) + 100, len(OK) + 100, len(MISSING))):
            begun = time.monotonic()
            sock.sendall(ask)
            client.read_exactly(sock, n)
            rows += lines(1)
            passed.append((time.monotonic() - begun) * 1000)
    s.equal([r["id"] for r in rows], [rows[0]["id"]] * 3, "one id")
    s.equal([(r["request"], r["method"], r["target"], r["status"], r["end"],
              r["server"], int(r["bytes_in"]), int(r["bytes_out"]))
             for r in rows],
            [("1", "GET", "/a?b=c&d", "200", "--", "a", len(asks[0]),
              len(OK) + 100),
             ("2", "GET", "/slow", "200", "--", "a", len(asks[1]),
              len(OK) + 100),
             ("3", "GET", "/no", "404", "--", "a", len(asks[2]),
              len(MISSING))], "what was asked, and the bytes of each")
    s.check(all("shards" not in r and "error" not in r for r in rows),
            "nothing of shards, no error")
    s.check(rows[0]["connect_ms"] != "-" and
            [r["connect_ms"] for r in rows[1:]] == ["-", "-"],
            "only the first waited for a server")
    s.check(float(rows[1]["first_byte_ms"]) >= 190 and
            float(rows[1]["first_byte_ms"]) <= float(rows[1]["total_ms"]),
            "the slow one was slow")
    # The first has the connection's time, too, which began before.
    s.check(all(float(r["total_ms"]) <= ms for r, ms in
                zip(rows[1:], passed[1:])),
            "each has its own time, not that of the requests before it")

    s.say("-- the end of the connection between two is no line")
    b.idle()
    s.equal(len(b.flows()), seen, "lines")

    s.say("-- pipelined, of odd targets")
    odd = ["/\u00e9", "/\"q\"", "/" + "t" * 400, "/back\\slash"]
    with client.connect(address) as sock:
        sock.sendall(b"".join(request(f"GET {path} HTTP/1.1")
                              for path in odd))
        client.read_exactly(sock, 4 * (len(OK) + 100))
    rows = lines(4)
    s.equal([r["target"] for r in rows],
            ["/??", "/?q?", "/" + "t" * 254, "/back?slash"],
            "harmless, and cut")
    s.equal([int(r["bytes_in"]) for r in rows],
            [len(request(f"GET {path} HTTP/1.1")) for path in odd],
            "each its own bytes")

    s.say("-- another server connection")
    with client.connect(address) as sock:
        for _ in range(2):
            sock.sendall(request("GET /quit HTTP/1.1"))
            client.read_exactly(sock, len(OK) + 100)
            s.until(lambda: b.server("o", "a")["connections"] == 0,
                    "the server has ended it")
    rows = lines(2)
    s.check(rows[1]["connect_ms"] != "-", "the second waited for one, too")

    s.say("-- what was not answered to its end")
    with client.connect(address) as sock:
        sock.sendall(request("GET /a HTTP/1.1"))
        client.read_exactly(sock, len(OK) + 100)
        sock.sendall(request("GET /half HTTP/1.1"))
        data, end = client.read_end(sock)
        s.equal((len(data), end), (len(OK) + 40, client.RESET), "reset")
    row = lines(2)[1]
    s.equal((row["request"], row["target"], row["status"], row["end"],
             row["bytes_out"]),
            ("2", "/half", "200", "SD", str(len(OK) + 40)), "by the server")
    s.check("reset" in row["error"], row["error"])
    sock = client.connect(address)
    sock.sendall(request("POST /never HTTP/1.1", "Content-Length: 0"))
    s.check(HEARD.wait(60), "the server has it")
    reset(sock)
    row = lines(1)[0]
    s.equal((row["request"], row["method"], row["status"], row["end"],
             row["first_byte_ms"]), ("1", "POST", "-", "CD", "-"),
            "by the client")

    s.say("-- no request, and what is no HTTP/1.1")
    reset(client.connect(address))
    sock = client.connect(address)
    sock.sendall(b"GET /a HTTP/1.0\r\n\r\n")
    client.read_exactly(sock, len(OK) + 100)
    sock.close()
    rows = lines(2)
    s.check(all("request" not in r for r in rows), "lines of connections")
    b.idle()
    b.stop()


scenario.run(test)
