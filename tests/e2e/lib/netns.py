# SPDX-License-Identifier: Apache-2.0
"""Network namespaces, joined by veth pairs; they go with the scenario."""

import ctypes
import os
import threading

from .process import Skip, run as run_program
from .scenario import find_program

CLONE_NEWNET = 0x40000000
_count = 0
_pairs = 0


def _ip(*arguments):
    return run_program([find_program("ip"), *arguments])


class Namespace:
    def __init__(self, s):
        global _count
        s.need_root()
        s.need("ip", "nsenter")
        _count += 1
        self.name = f"braid{os.getpid()}n{_count}"
        done = run_program([find_program("ip"), "netns", "add", self.name],
                           check=False)
        if done.returncode:
            raise Skip(f"no network namespaces here: {done.stderr.strip()}")
        s.defer(lambda: _ip("netns", "del", self.name))
        self.path = f"/run/netns/{self.name}"
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments):
        return _ip("-n", self.name, *arguments)

    def add_address(self, address, device="lo"):
        self.ip("address", "add", address, "dev", device)

    def inside(self, function):
        """Calls it on a thread that is in this namespace: sockets made there
        belong to it for good."""
        result = []

        def body():
            try:
                libc = ctypes.CDLL(None, use_errno=True)
                fd = os.open(self.path, os.O_RDONLY)
                try:
                    if libc.setns(fd, CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                finally:
                    os.close(fd)
                result.append((function(), None))
            except BaseException as error:  # handed to the caller
                result.append((None, error))
        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        value, error = result[0]
        if error:
            raise error
        return value


def join(a, b, address_a, address_b):
    """A veth pair between two namespaces: names of both ends. Addresses with
    their prefix length."""
    global _pairs
    _pairs += 1
    end_a, end_b = f"v{os.getpid()}a{_pairs}", f"v{os.getpid()}b{_pairs}"
    a.ip("link", "add", end_a, "type", "veth", "peer", "name", end_b,
         "netns", b.name)
    for space, end, address in ((a, end_a, address_a), (b, end_b, address_b)):
        space.add_address(address, end)
        space.ip("link", "set", end, "up")
    return end_a, end_b
