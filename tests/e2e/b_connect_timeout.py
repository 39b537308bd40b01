#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import socket

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name


def full(s):
    """An address whose queue is full and that nobody accepts from: connects
    hang, as towards a machine that is gone."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", s.port()))
    listener.listen(0)
    held = []
    for _ in range(8):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
        held.append(sock)
    s.defer(listener.close)
    return listener.getsockname(), held


def test(s):
    """connect.timeout ends an attempt; another server is tried; without one
    the flow ends with the code of a server timeout while connecting."""
    address, _held = full(s)
    hung = "%s:%d" % address
    alive = Origin(s, name("alive"))
    alone, both = s.port(), s.port()
    b = Braid(s, {
        "listeners": {"alone": {"bind": f"127.0.0.1:{alone}", "pool": "a"},
                      "both": {"bind": f"127.0.0.1:{both}", "pool": "b"}},
        "pools": {
            "a": {"connect": {"timeout": "300ms", "retries": 1},
                  "servers": {"hung": {"address": hung}}},
            "b": {"connect": {"timeout": "200ms", "retries": 1},
                  "balance": "rr",
                  "servers": {"hung": {"address": hung},
                              "alive": {"address": alive.text}}}},
    })
    s.equal(client.ask(("127.0.0.1", alone), b"hello"), (b"", client.RESET),
            "with no other server: a reset")
    flow = b.wait_flows(1, listener="alone")[0]
    s.equal((flow["end"], flow["retries"]), ("sC", "1"), "code and retries")
    s.check(float(flow["total_ms"]) >= 600,
            f"it tried for twice the timeout: {flow['total_ms']} ms")
    s.equal(b.server("a", "hung")["connect_timeouts"], 2, "timeouts counted")

    s.equal(client.names(("127.0.0.1", both), 8), {"alive": 8},
            "with another server: answers")
    flows = b.wait_flows(8, listener="both")
    s.equal({f["end"] for f in flows}, {"--"}, "codes")
    s.check(any(f["retries"] == "1" for f in flows), "some were retried")
    s.equal(b.server("b", "hung")["connections"], 0,
            "slots of attempts that timed out are given back")
    b.stop()


scenario.run(test, user="root")
