#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import threading

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, echo
from lib.process import Failure
from lib.records import config, firsts, rows, visit
from lib.scenario import NAMELESS

OLD, NEW, VISITORS = 60, 150, 4


def test(s):
    """Two generations of an upgrade record flows in one file at the same
    time: every flow of both is there once, no row is torn, and the header
    stands once; also when the file is moved away under both."""
    origin, port = Origin(s, echo), s.port()
    path = os.path.join(s.make_folder("records", NAMELESS), "flows.csv")
    b = Braid(s, config(port, origin.text, path))
    held = []
    for _ in range(OLD):
        sock = client.connect(("127.0.0.1", port))
        s.defer(sock.close)
        if not client.echoes(sock, b"question"):
            raise Failure("a flow is not served")
        held.append(sock)
    b.upgrade()
    visit(port, 3)
    s.until(lambda: firsts(path) == 3, "the new generation records")
    away, errors = path + ".away", []

    def visitor():
        try:
            visit(port, NEW)
        except Exception as error:
            errors.append(error)
    threads = [threading.Thread(target=visitor) for _ in range(VISITORS)]
    for thread in threads:
        thread.start()
    for n, sock in enumerate(held):
        # Both write: flows of the old one end while others come and go.
        client.echoes(sock, b"x" * 3000)
        sock.close()
        if n == OLD // 2:
            os.rename(path, away)
    for thread in threads:
        thread.join()
    s.equal(errors, [], "errors of clients")
    total = 3 + OLD + VISITORS * NEW
    s.until(lambda: firsts(path, away) == total,
            f"all {total} flows are in the two files")
    s.check(firsts(away) and firsts(path), "some are in either")
    # rows() has looked at each; those of the old generation are longer.
    s.equal(sum(row["_checkpoint"] == "first" and
                int(row["_up_bytes"]) == 3008
                for each in (path, away) for row in rows(each)), OLD,
            "flows of the old generation")
    s.equal(b.events("flows are not recorded"), [], "complaints")
    b.stop()


scenario.run(test, user="nobody")
