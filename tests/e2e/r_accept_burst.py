#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name


def test(s):
    """400 connections that arrive at once at a listener with max_connections
    10 are all served: none of them is closed because too many were accepted
    in one turn."""
    origin = Origin(s, name("a"))
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o",
                              "max_connections": 10}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    })
    # Stopped, so that all are in the kernel's queue at once.
    os.kill(b.process.pid, signal.SIGSTOP)
    socks = [client.connect(("127.0.0.1", port)) for _ in range(400)]
    for sock in socks:
        sock.shutdown(1)
    os.kill(b.process.pid, signal.SIGCONT)
    ends = [client.read_end(sock) for sock in socks]
    s.equal(ends.count((b"a", client.FIN)), 400, "served")
    s.equal(b.listener("web")["refused"], 0, "refused")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
