#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import ctypes
import os
import socket

from lib import scenario
from lib.braidd import Braid
from lib.downloads import WHOLE, Download, open_reader
from lib.process import Skip
from lib.range_origin import Library, RangeOrigin
from lib.verbatim import request

PATH, SMALL = f"/film/{2 << 20}", "/small/10"
PIDFD_GETFD = 438
LIBC = ctypes.CDLL(None, use_errno=True)


def sockets_to(pid, addresses):
    """braidd's connections to those addresses, as copies of its own."""
    pidfd, found = os.pidfd_open(pid), []
    for name in os.listdir(f"/proc/{pid}/fd"):
        fd = LIBC.syscall(PIDFD_GETFD, pidfd, int(name), 0)
        if fd < 0 and ctypes.get_errno() not in (0, 9):
            raise Skip("needs pidfd_getfd")
        try:
            sock = socket.socket(fileno=fd) if fd >= 0 else None
            if sock and sock.getpeername() in addresses:
                found.append(sock)
        except OSError:
            pass
    os.close(pidfd)
    return found


def test(s):
    """The connection that a download leaves to the next requests sends small
    parts at once, as the one before it did."""
    s.need_root()
    library = Library()
    servers = [RangeOrigin(s, library) for _ in range(2)]
    port = s.port()
    b = Braid(s, {
        "global": {"workers": 1},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "p"}},
        "pools": {"p": {
            "servers": {f"s{i}": {"address": server.text}
                        for i, server in enumerate(servers)},
            "shard": {"range": "on", "min_size": "64KiB",
                      "piece": "256KiB"}}}})
    addresses = [server.address for server in servers]

    def get(sock, reader, path):
        sock.sendall(request(f"GET {path} HTTP/1.1"))
        got = Download().read(reader, [library.find(path).content])
        s.equal((got.end, got.compare[0].is_whole()), (WHOLE, True), path)

    for turn in range(12):
        sock, reader = open_reader(("127.0.0.1", port))
        s.defer(sock.close)
        for path in (SMALL, SMALL, PATH):
            get(sock, reader, path)
        s.until(lambda: sum(row["connections"] for row in
                            b.ctl("servers")["servers"]) <= 1, "one is left")
        for _ in range(2):
            get(sock, reader, SMALL)
        kept = []

        def is_alone():
            for one in kept:
                one.close()
            kept[:] = sockets_to(b.pid, addresses)
            return len(kept) == 1
        s.until(is_alone, "its socket is")
        s.equal([k.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                 for k in kept], [1], f"TCP_NODELAY of what is left, {turn}")
        for k in kept:
            k.close()
        sock.close()
        b.idle()
    b.stop()


scenario.run(test)
