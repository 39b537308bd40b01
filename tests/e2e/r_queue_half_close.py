#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin


def answer(sock, _number):
    """Reads the whole question and answers."""
    question = b""
    while True:
        data = sock.recv(4096)
        if not data:
            break
        question += data
    sock.sendall(b"re: " + question)


def test(s):
    """A client that has sent its question and a FIN while it waits in the
    queue is a client that waits for its answer, not one that is gone."""
    origin = Origin(s, answer)
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text,
                                          "max_connections": 1}},
                        "queue": {"length": 10, "timeout": "60s"}}},
    })
    first = client.connect(("127.0.0.1", port))
    s.until(lambda: origin.accepted == 1, "the first client is served")
    waiting = [client.connect(("127.0.0.1", port)) for _ in range(5)]
    s.until(lambda: b.pool("o")["queued"] == 5, "five wait")
    for i, sock in enumerate(waiting):
        sock.sendall(b"%d" % i)
        sock.shutdown(1)
    first.sendall(b"first")
    first.shutdown(1)
    s.equal(client.read_end(first), (b"re: first", client.FIN), "the first")
    for i, sock in enumerate(waiting):
        s.equal(client.read_end(sock), (b"re: %d" % i, client.FIN),
                f"number {i} of the queue")
    b.idle()
    s.equal({f["end"] for f in b.wait_flows(6)}, {"--"}, "codes")
    b.stop()


scenario.run(test, user="nobody")
