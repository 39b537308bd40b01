#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import resource

from lib import scenario
from lib.braidd import Braid, suspicious
from lib.scenario import Skip

KIB, LEAST = 1 << 10, 128


def test(s):
    """Too little memory that may be locked for the rings of all threads: a
    start says what to raise, ends with 69 at whatever ring that is, and what
    other threads had made by then is no leak."""
    if not s.is_root:
        raise Skip("needs root: a user of its own, whose limit nobody shares")
    config = {"listeners": {"web": {"bind": f"127.0.0.1:{s.port()}",
                                    "pool": "o"}},
              "pools": {"o": {"servers": {"a": {"address": "127.0.0.1:9"}}}}}
    threads = 0
    for kib in range(LEAST, 8192, 64):
        b = Braid(s, config, name=f"k{kib}", wait=False, api=False,
                  preexec=lambda: resource.setrlimit(
                      resource.RLIMIT_MEMLOCK, (kib * KIB, kib * KIB)))
        s.until(lambda: not b.process.running or b.events("serving"),
                f"{kib} KiB: the end, or it serves")
        if b.process.running and kib == LEAST:
            raise Skip("this kernel does not count rings as locked memory")
        if b.process.running:
            break
        s.equal(b.exit_code(), 69, f"{kib} KiB: exit code")
        said = b.process.output()
        s.check("LimitMEMLOCK" in said, f"what to raise: {said.strip()[:60]}")
        s.equal(suspicious(said), None, "reports of sanitizers")
        threads += "a thread could not be set up" in said
    s.check(threads, "some threads had their rings, others not")
    s.check(b.process.running, "at last it serves")
    b.stop()


scenario.run(test)
