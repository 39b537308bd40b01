#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import ctypes
import os
import time

from lib import scenario
from lib.braidd import Braid
from lib.origins import Origin, echo
from lib.process import Skip
from lib.records import config, firsts, rows, visit
from lib.scenario import NAMELESS

CLONE_NEWNS = 0x20000
DISK, FILLER = 512 << 10, 384 << 10
RETRY_S = 10
NOT, AGAIN = "flows are not recorded", "flows are recorded again"


def small_disk(s):
    """Mounts that end with this process and its children."""
    s.need_root()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS):
        raise Skip(f"no mount namespace: {os.strerror(ctypes.get_errno())}")
    folder = s.make_folder("disk")
    s.run(["mount", "--make-rprivate", "/"])
    s.run(["mount", "-t", "tmpfs", "-o",
           f"size={DISK},uid={NAMELESS},gid={NAMELESS},mode=700", "none", folder])
    s.defer(lambda: s.run(["umount", "-l", folder], check=False))
    return folder


def test(s):
    """The disk of recorded flows is full: they are served all the same, what
    is in the file is whole, lost rows are counted and the log says why, and
    once there is room it goes on in the same file."""
    folder = small_disk(s)
    path, filler = (os.path.join(folder, n) for n in ("flows.csv", "filler"))
    with open(filler, "wb") as f:
        f.write(bytes(FILLER))
    origin, port = Origin(s, echo), s.port()
    b = Braid(s, config(port, origin.text, path))

    def counted(name):
        return b.metrics().total(f"braid_recorded_{name}_total")

    flows, begun = 0, time.monotonic()

    def took():
        return time.monotonic() - begun

    def until(condition, what):
        """With more and more flows."""
        nonlocal flows
        while not condition():
            visit(port, 10)
            flows += 10
            time.sleep(0.02)
        s.check(True, what)

    until(lambda: b.events(NOT), "the disk is full")
    s.equal(b.events(NOT)[0]["cause"], "write: No space left on device",
            "the cause")
    before = firsts(path)
    s.check(0 < before < flows, f"{before} of {flows} flows are recorded")
    visit(port, 20)
    flows += 20
    s.until(lambda: counted("rows_lost") >= 40, "lost rows are counted")
    # It is tried again after a while, and a few rows may still fit.
    s.check(b.events(AGAIN) or firsts(path) == before,
            "no more flows are recorded")
    os.unlink(filler)
    until(lambda: len(b.events(AGAIN)) == len(b.events(NOT)),
          "there is room again")
    again = b.events(AGAIN)
    s.check(len(again) == 1 or took() > RETRY_S,
            f"{len(again)} lines about the disk")
    b.idle()
    # Two for each flow, more of those that were held up.
    s.until(lambda: counted("rows") + counted("rows_lost") >= 2 * flows,
            "each row was written or is counted")
    s.equal(sum(int(line["rows_lost"]) for line in again),
            counted("rows_lost"), "the rows lost, as the log says")
    s.until(lambda: len(rows(path)) == counted("rows"),
            "rows in the file, all whole, are those that are counted")
    s.check(firsts(path) > before, "it goes on in the same file")
    b.stop()


scenario.run(test, user="nobody")
