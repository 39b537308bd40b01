#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, reset


def greet(sock, number):
    """Says its turn, echoes until the client ends, then ends."""
    sock.sendall(b"%04d" % number)
    while True:
        data = sock.recv(4096)
        if not data:
            return
        sock.sendall(data)


def test(s):
    """A full server's clients wait in the queue, oldest first, over both
    workers; what is too many or waits too long is closed with its code."""
    origin = Origin(s, greet)
    port = s.port()
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {
            "servers": {"a": {"address": origin.text,
                              "max_connections": 2}},
            "queue": {"length": 6, "timeout": "60s"}}},
    }
    b = Braid(s, config)

    def held_by_server():
        sock = client.connect(("127.0.0.1", port))
        return sock, client.read_exactly(sock, 4)

    first = [held_by_server()[0] for _ in range(2)]
    waiting = []
    for i in range(6):
        waiting.append(client.connect(("127.0.0.1", port)))
        s.until(lambda: b.pool("o")["queued"] == i + 1,
                f"{i + 1} wait in the queue")
    s.equal(origin.accepted, 2, "the server has at most max_connections")
    s.equal(client.ask(("127.0.0.1", port)), (b"", client.RESET),
            "one more than the queue holds")
    s.equal(b.wait_flows(1)[0]["end"], "PQ", "its code")

    # A client that goes away makes room and costs the server nothing.
    reset(waiting.pop(2))
    s.until(lambda: b.pool("o")["queued"] == 5, "one left the queue")
    s.equal(len(b.wait_flows(1, end="CQ")), 1, "its code is CQ")

    order = []
    ending = first
    while waiting:
        ending.pop(0).close()
        sock = waiting.pop(0)
        order.append(client.read_exactly(sock, 4))
        ending.append(sock)
    s.equal(order, sorted(order), "served in the order of their arrival")
    s.equal(origin.accepted, 7, "connections that the server got")
    s.check(origin.n_open <= 2, "never more than two at a time")
    for sock in ending:
        sock.close()
    b.idle()

    config["pools"]["o"]["queue"] = {"length": 4, "timeout": "300ms"}
    b.reload(config)
    held = [held_by_server()[0] for _ in range(2)]
    late = [client.connect(("127.0.0.1", port)) for _ in range(3)]
    for sock in late:
        s.equal(client.read_end(sock), (b"", client.RESET), "waited in vain")
    flows = b.wait_flows(3, end="sQ")
    s.check(all(300 <= float(f["total_ms"]) for f in flows),
            "they waited for queue.timeout")
    s.equal({f["server"] for f in flows}, {"-"}, "and reached no server")
    s.check(all(client.echoes(sock) for sock in held),
            "those at the server were not touched")
    for sock in held:
        sock.close()
    b.idle()
    s.equal(b.server("o", "a")["connections"], 0, "slots in use at the end")
    m = b.metrics()
    s.equal(m.total("braid_worker_queue_timeouts_total"), 3,
            "braid_worker_queue_timeouts_total")
    s.equal(m.total("braid_worker_queue_refused_total"), 1,
            "braid_worker_queue_refused_total")
    s.equal(m.total("braid_worker_queued_total"), 9,
            "braid_worker_queued_total")
    b.stop()


scenario.run(test, user="nobody")
