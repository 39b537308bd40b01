#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Echo


def test(s):
    """A burst at a listener that was idle while another one filled
    global.max_connections: whoever comes too early waits, and nobody is closed
    unserved, although the idle listener's accept was armed when there was
    room for all."""
    origin = Echo(s)
    first, second = s.port(), s.port()
    listener = {"pool": "o", "backlog": 128}
    b = Braid(s, {
        "global": {"max_connections": 800, "workers": 2},
        "listeners": {
            "first": {"bind": f"127.0.0.1:{first}", **listener},
            "second": {"bind": f"127.0.0.1:{second}", **listener}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    })

    def at_once(port, n):
        # Stopped, so that all are in the kernel's queue at once.
        os.kill(b.process.pid, signal.SIGSTOP)
        socks = [client.connect(("127.0.0.1", port)) for _ in range(n)]
        os.kill(b.process.pid, signal.SIGCONT)
        return socks

    filling = []
    while len(filling) < 800:
        filling += at_once(first, 100)
        s.until(lambda: b.status()["flows"]["open"] == len(filling),
                f"{len(filling)} are served")
    burst = at_once(second, 200)
    for sock in filling:
        s.check(client.echoes(sock), "one of those who fill it")
        sock.close()
    served = 0
    for sock in burst:
        served += client.echoes(sock)
        sock.close()
    s.equal(served, 200, "served of the burst")
    s.equal(b.listener("second")["refused"], 0, "refused")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
