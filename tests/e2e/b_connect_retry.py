#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name, reset


class Swallows:
    """Reads a whole request, notes it, and resets without an answer."""

    def __init__(self, size):
        self.size = size
        self.seen = []
        self.lock = threading.Lock()

    def __call__(self, sock, _number):
        body = client.read_exactly(sock, self.size)
        with self.lock:
            self.seen.append(body)
        reset(sock)


def test(s):
    """A dead server costs the client nothing but a retry on another; once
    bytes of the client were handed over there is never a second try."""
    alive = Origin(s, name("alive"))
    dead = f"127.0.0.1:{s.port()}"
    web, post = s.port(), s.port()
    body = b"POST / HTTP/1.1\r\nContent-Length: 4000\r\n\r\n" + b"p" * 4000
    swallow = Swallows(len(body))
    traps = [Origin(s, swallow) for _ in range(3)]
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{web}", "pool": "o"},
                      "post": {"bind": f"127.0.0.1:{post}", "pool": "p"}},
        "pools": {
            "o": {"balance": "rr", "connect": {"retries": 2},
                  "servers": {"dead": {"address": dead},
                              "alive": {"address": alive.text}}},
            "p": {"connect": {"retries": 3}, "servers": {
                str(i): {"address": t.text} for i, t in enumerate(traps)}}},
    })
    s.equal(client.names(("127.0.0.1", web), 40), {"alive": 40},
            "answers although half of the servers are dead")
    flows = b.wait_flows(40, listener="web")
    s.equal({f["end"] for f in flows}, {"--"}, "termination codes")
    s.equal({f["server"] for f in flows}, {"alive"}, "servers in the log")
    retried = [f for f in flows if f["retries"] != "0"]
    s.check(retried and {f["retries"] for f in retried} == {"1"},
            f"{len(retried)} of them were retried once")
    s.equal({f.get("tried") for f in retried}, {"dead"},
            "whom the retried tried before")
    # There may be none: who fails at once always has the fewest connections.
    s.equal([f["tried"] for f in flows
             if f["retries"] == "0" and "tried" in f], [],
            "whom the others tried before")
    row = b.server("o", "dead")
    s.equal((row["connect_errors"], row["retries"], row["connections"]),
            (len(retried), len(retried), 0),
            "errors, retries and connections of the dead server")

    n = 12
    for _ in range(n):
        answer, end = client.ask(("127.0.0.1", post), body)
        if (answer, end) != (b"", client.RESET):
            s.check(False, f"the reset is passed on, not {answer!r} {end}")
    s.equal(len(swallow.seen), n, "bodies that servers have seen")
    s.equal(sum(t.accepted for t in traps), n, "connections they got")
    flows = b.wait_flows(n, listener="post")
    s.equal({(f["end"], f["retries"]) for f in flows}, {("SD", "0")},
            "code and retries of these")
    b.stop()


scenario.run(test, user="nobody")
