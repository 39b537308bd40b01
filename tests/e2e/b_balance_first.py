#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter


def test(s):
    """first fills servers in file order up to max_connections, over all
    workers, and returns to the first that has room."""
    origins = {n: Origin(s, greeter(n)) for n in "cab"}
    port = s.port()
    b = Braid(s, {
        "global": {"workers": 2},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"balance": "first", "queue": {
            "length": 5, "timeout": "60s"}, "servers": {
            n: {"address": origins[n].text, "max_connections": 2, "weight": w}
            for n, w in (("c", 1), ("a", 9), ("b", 1))}}},
    })

    def opened():
        sock = client.connect(("127.0.0.1", port))
        return client.read_exactly(sock, 1).decode(), sock

    held = [opened() for _ in range(6)]
    s.equal("".join(n for n, _ in held), "ccaabb", "servers in their order")
    waits = client.connect(("127.0.0.1", port))
    s.until(lambda: b.pool("o")["queued"] == 1, "a seventh waits")
    held[3][1].close()
    s.equal(client.read_exactly(waits, 1), b"a", "it gets a's free slot")
    waits.close()
    held[0][1].close()
    s.until(lambda: b.pool("o")["connections"] == 4, "two are gone")
    again = [opened() for _ in range(2)]
    s.equal("".join(n for n, _ in again), "ca", "the first with room")
    b.braidctl("drain", "o", "c")
    for _, sock in held + again:
        sock.close()
    b.idle()
    s.equal(opened()[0], "a", "c is drained: the next one")
    b.stop()


scenario.run(test, user="root")
