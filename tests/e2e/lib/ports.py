# SPDX-License-Identifier: Apache-2.0
"""Ports below 32768 that no other scenario and no other program has.

A port is held by an abstract unix socket named after it, which ends with this
process however that ends, and tried by binding it."""

import os
import random
import socket

LOWEST, HIGHEST = 10000, 32000
_held = []
_random = random.Random(os.getpid() ^ random.SystemRandom().getrandbits(32))


def _is_free(port):
    """Of any kind, and not in TIME-WAIT either: not who else runs, but who
    binds it here without SO_REUSEADDR would meet that."""
    for family, address in ((socket.AF_INET, "0.0.0.0"),
                            (socket.AF_INET6, "::")):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            probe = socket.socket(family, kind)
            try:
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY,
                                     1)
                probe.bind((address, port))
            except OSError:
                return False
            finally:
                probe.close()
    return True


def take():
    for _ in range(2000):
        port = _random.randrange(LOWEST, HIGHEST)
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            lock.bind(f"\0braid-e2e-port-{port}")
        except OSError:
            lock.close()
            continue
        if _is_free(port):
            _held.append(lock)
            return port
        lock.close()
    raise RuntimeError("no free port found")
