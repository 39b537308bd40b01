#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter
from lib.process import wait_until


def test(s):
    """At max_connections a listener, and the process as a whole, accepts no
    more; whoever came too early waits and is served, nobody is refused."""
    origin = Origin(s, greeter("a"))
    port, other = s.port(), s.port()
    b = Braid(s, {
        "global": {"max_connections": 60},
        "listeners": {
            "web": {"bind": f"127.0.0.1:{port}", "pool": "o",
                    "max_connections": 20},
            "other": {"bind": f"127.0.0.1:{other}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    })

    def waiting_room(address, limit, n):
        """n clients at once: `limit` are served, the rest one by one."""
        # Stopped, so that all are in the kernel's queue at once.
        os.kill(b.process.pid, signal.SIGSTOP)
        socks = [client.connect(("127.0.0.1", address)) for _ in range(n)]
        os.kill(b.process.pid, signal.SIGCONT)
        s.until(lambda: b.status()["flows"]["open"] == limit,
                f"{limit} of {n} are served at once")
        for sock in socks:
            sock.setblocking(False)
        served, left = [], list(socks)
        gone = b.status()["flows"]["ended"]
        while left:
            def ready():
                found = []
                for sock in left:
                    try:
                        if sock.recv(1) == b"a":
                            found.append(sock)
                        else:
                            raise AssertionError("ended without an answer")
                    except BlockingIOError:
                        pass
                return found
            found = wait_until(ready, "more to be served")
            for sock in found:
                left.remove(sock)
                served.append(sock)
            # Of two workers one is asked after the other: while flows end,
            # more may be seen than there are.
            wait_until(lambda: b.status()["flows"]["ended"] == gone,
                       "the flows that were closed to end")
            if b.status()["flows"]["open"] > limit:
                s.check(False, "more flows than the limit")
            for sock in found:
                sock.close()
            gone += len(found)
        s.equal(len(served), n, "served in the end")
        b.idle()

    waiting_room(port, 20, 50)
    s.check(b.listener("web")["accept_pauses"] > 0, "accepting had paused")
    waiting_room(other, 60, 100)
    s.check(b.listener("other")["accept_pauses"] > 0, "accepting had paused")
    for name in ("web", "other"):
        row = b.listener(name)
        s.equal((row["refused"], row["connections"]), (0, 0),
                f"refused and open connections of {name}")
    flows = b.wait_flows(150)
    s.equal((len(flows), {f["end"] for f in flows}), (150, {"--"}),
            "lines in the log and their codes")
    b.stop()


scenario.run(test, user="nobody")
