#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal

from lib import client, scenario
from lib.braidd import Braid, parse_line, suspicious
from lib.origins import Origin, echo


def test(s):
    """A stderr that nobody reads, an ordinary (blocking) pipe that is full,
    holds up nobody: traffic, reloads and the end go on, and what is lost is
    counted."""
    read_end, write_end = os.pipe()
    s.defer(lambda: os.close(read_end))
    origin = Origin(s, echo)
    address = ("127.0.0.1", s.port())
    config = {
        "listeners": {"web": {"bind": "%s:%d" % address, "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    }
    # Its stderr is the pipe; a shell gives it there.
    os.set_inheritable(write_end, True)
    b = Braid(s, config, preexec=lambda: os.dup2(write_end, 2))
    os.close(write_end)
    held = client.connect(address)
    for _ in range(1500):
        with client.connect(address) as sock:
            if not client.echoes(sock):
                s.check(False, "no echo while nobody reads the log")
    s.check(client.echoes(held), "1,500 flows while nobody reads the log")
    held.close()
    b.idle()
    s.until(lambda: b.metrics().value("braid_listener_closed_total",
                                      listener="web") == 1501,
            "1,501 flows have ended")
    s.equal(b.ctl_answer("reload")["exit"], 0, "a reload meanwhile")
    b.write_config("{}")
    s.equal(b.ctl_answer("reload")["exit"], 78, "a refused one")
    s.until(lambda: b.metrics().value("braid_log_lines_dropped_total") > 0,
            "lost lines are counted")
    b.process.send(signal.SIGTERM)
    s.equal(b.exit_code(), 0, "exit code, although the pipe is full")
    with os.fdopen(read_end, "rb", closefd=False) as pipe:
        os.set_blocking(read_end, False)
        text = pipe.read().decode()
    s.equal(suspicious(text), None, "reports of sanitizers")
    lines = text.splitlines()
    s.check(all(parse_line(line) for line in lines[:-1]),
            f"the {len(lines)} lines that fit are whole")


scenario.run(test, user="nobody")
