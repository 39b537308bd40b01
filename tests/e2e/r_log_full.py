#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import client, scenario
from lib.braidd import Braid, parse_line, suspicious
from lib.origins import Origin, echo
from lib.process import Skip


def test(s):
    """The disk of the log is full: traffic, reloads and an upgrade go on;
    what is lost is counted, and said in the log once there is room again."""
    if not s.is_root:
        raise Skip("a small file system of its own needs root")
    folder = s.make_folder("disk")
    try:
        s.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "braid",
               folder])
    except Exception as error:
        raise Skip(f"no tmpfs can be mounted here: {error}") from error
    s.defer(lambda: s.run(["umount", "-l", folder]))
    log, filler = f"{folder}/log", f"{folder}/filler"
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.set_inheritable(fd, True)
    origin = Origin(s, echo)
    address = ("127.0.0.1", s.port())
    config = {
        "listeners": {"web": {"bind": "%s:%d" % address, "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    }
    b = Braid(s, config, preexec=lambda: os.dup2(fd, 2))
    os.close(fd)

    def text():
        with open(log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def flows(n):
        for _ in range(n):
            with client.connect(address) as sock:
                if not client.echoes(sock):
                    s.check(False, "no echo while the disk is full")

    def lost():
        return int(b.metrics().value("braid_log_lines_dropped_total"))

    flows(20)
    s.until(lambda: text().count("msg=flow ") + text().count('msg="flow"')
            >= 20, "20 lines of the access log")
    with open(filler, "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 512):
                pass
        except OSError:
            pass
    s.say("-- full")
    flows(400)
    s.until(lambda: lost() > 0, "lost lines are counted")
    b.idle()
    b.reload()
    s.equal(b.braidctl("status", check=False).returncode, 0, "braidctl")

    s.say("-- room again")
    b.idle()
    os.unlink(filler)
    before = lost()
    flows(1)
    s.until(lambda: 'msg="log lines lost"' in text(), "it is said")
    lines = [parse_line(line) for line in text().splitlines()]
    said = [int(line["lines"]) for line in lines
            if line and line.get("msg") == "log lines lost"]
    s.check(sum(said) >= before, f"lines said to be lost: {said}, counted "
            f"when there was room again: {before}")
    s.equal(sum(said), lost(), "and counted afterwards")
    s.check(sum(line is None for line in lines) <= len(said),
            "lines that were cut: one each time at most")
    s.equal(suspicious(text()), None, "reports of sanitizers")

    s.say("-- an upgrade when it is full again")
    with open(filler, "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 512):
                pass
        except OSError:
            pass
    held = client.connect(address)
    s.check(client.echoes(held), "a flow")
    b.upgrade()
    flows(5)
    s.check(client.echoes(held), "it lives on")
    held.close()
    b.wait_gone(b.process.pid)
    os.unlink(filler)
    os.kill(b.pid, 15)
    b.wait_gone(b.pid)
    s.equal(b.exit_code(), 0, "the first generation's exit code")
    s.equal(suspicious(text()), None, "reports of sanitizers")


scenario.run(test, user="root")
