#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import socket

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, listen, name
from lib.transfer import Peer, Stream, exchange

MIB = 1 << 20


class Unix(Origin):
    @property
    def text(self):
        return f"unix:{self.address}"


def test(s):
    """Servers behind IPv6 and unix sockets: answers, checks, a socket that is
    gone, and bulk in both directions between all kinds of addresses."""
    path = s.path("a.sock")
    unix = Unix(s, name("unix"), path, listen(path))
    os.chmod(path, 0o666)
    six = Origin(s, name("six"), ("::1", s.port()))
    port, front = s.port(), s.path("braidd/front.sock")
    b = Braid(s, {
        "listeners": {"web": {"bind": [f"127.0.0.1:{port}", f"[::1]:{port}",
                                       f"unix:{front}"], "pool": "o"}},
        "pools": {"o": {"balance": "rr",
                        "servers": {"u": {"address": unix.text},
                                    "s": {"address": six.text}},
                        "health": {"interval": "100ms", "rise": 1}}},
    })
    address = ("127.0.0.1", port)
    s.equal(set(client.names(address, 20)), {"unix", "six"}, "who answers")
    for n in "us":
        s.until(lambda: b.server("o", n)["health"] == "up", f"{n} is up")
    os.unlink(path)
    s.until(lambda: b.server("o", "u")["health"] == "down",
            "without its file the server is down")
    s.equal(client.names(address, 10), {"six": 10}, "who answers")
    b.ctl("maint", "o", "s")
    unix.up(listen(path))
    os.chmod(path, 0o666)
    s.until(lambda: b.server("o", "u")["health"] == "up", "it is back")
    s.until(lambda: unix.n_open == 0 and six.n_open == 0, "checks are over")
    b.ctl("maint", "o", "u")
    s.until(lambda: unix.n_open == 0, "and no new ones come")

    for n, origin in (("u", unix), ("s", six)):
        b.ctl("ready", "o", n)
        # A check must not be taken for the transfer.
        s.until(lambda: b.server("o", n)["weight"] == 1, f"{n} is ready")
        for where in (address, ("::1", port), front):
            peer = Peer(Stream(1, 12 * MIB), {}, {})

            def handler(sock, number):
                # Checks say nothing; the transfer is what comes with bytes.
                if sock.recv(1, socket.MSG_PEEK):
                    peer(sock, number)
            origin.handler = handler
            exchange(s, where, peer, Stream(2, 9 * MIB),
                     f"{n} through {where}")
        b.ctl("maint", "o", n)
    flows = [f for f in b.wait_flows(36) if int(f["bytes_out"]) > MIB]
    s.equal((len(flows), {f["end"] for f in flows}), (6, {"--"}),
            "transfers in the log and their codes")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
