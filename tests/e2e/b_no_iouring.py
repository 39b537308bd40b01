#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import errno
import os

from lib import scenario, seccomp
from lib.braidd import Braid


def test(s):
    """Without io_uring braidd ends with 69 and says what blocks it; it has
    opened nothing by then."""
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{s.port()}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {
            "address": f"127.0.0.1:{s.port()}"}}}},
    }
    for error, hint in ((errno.EPERM, "seccomp"), (errno.ENOSYS, "kernel")):
        name = errno.errorcode[error].lower()
        b = Braid(s, config, name=name, wait=False,
                  preexec=seccomp.deny(seccomp.IO_URING_SETUP, error))
        s.equal(b.exit_code(), 69, f"exit code when it fails with {name}")
        said = [line for line in b.process.output().splitlines()
                if "io_uring" in line]
        s.equal(len(said), 1, "lines about io_uring")
        s.check(said[0].startswith("braidd: "), f"plain: {said[0]}")
        s.check(hint in said[0], f"it names the likely cause ({hint})")
        s.check(not os.path.exists(b.control), "no control socket was made")
    b = Braid(s, config, name="free")
    b.stop()


scenario.run(test, user="nobody")
