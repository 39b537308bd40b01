#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.origins import Origin, name

REFUSED = ": a reload or an upgrade will be refused"


def test(s):
    """Started as root braidd reads a key that the user it becomes may not
    read. It says at the start, and not at the first new certificate, that a
    reload will be refused."""
    s.need_root()
    cert, key = Authority(s, "ours").issue("www", "DNS:www.example.com")
    origin = Origin(s, name("HTTP/1.1 200 OK\r\n\r\n"))
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{s.port()}", "pool": "o",
                              "tls": {"certificates": [
                                  {"cert": cert, "key": key}]}}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}}}
    readable = Braid(s, config, name="readable")
    readable.reload()  # what the start had to say stands in the log by then
    said = readable.process.output()
    s.check("cannot read" not in said, f"nothing is said: {said.strip()}")
    readable.stop()

    os.chmod(key, 0o600)
    b = Braid(s, config)
    s.until(lambda: f"user nobody cannot read {key}{REFUSED}" in
            b.process.output(), "it is said at the start")
    answer = b.ctl_answer("reload")
    s.equal(answer["exit"], 78, "and the reload is refused")
    os.chmod(key, 0o644)
    b.reload()
    b.stop()


scenario.run(test, user="root")
