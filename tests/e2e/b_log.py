#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import json
import os
import signal

from lib import client, scenario
from lib.braidd import Braid, parse_line
from lib.origins import Origin, name


def test(s):
    """Log format, level and the access log follow the configuration, also by
    reload; every JSON line is JSON."""
    origin = Origin(s, name("a"))
    port = s.port()
    config = {
        "global": {"log": {"format": "json", "level": "debug"}},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    }
    b = Braid(s, config)
    address = ("127.0.0.1", port)
    client.names(address, 10)

    def rows():
        return [json.loads(line) for line in b.output_lines()]

    s.until(lambda: sum(r["msg"] == "flow" for r in rows()) == 10,
            "10 flows as JSON")
    flow = [r for r in rows() if r["msg"] == "flow"][0]
    s.check({"ts", "level", "listener", "end", "total_ms", "bytes_out"} <=
            set(flow), f"fields: {sorted(flow)}")
    s.check(any(r["level"] == "debug" for r in rows()), "level debug")

    config["global"]["log"] = {"format": "logfmt", "level": "warn",
                               "access": False}
    b.reload(config)
    marked = len(b.process.output())
    client.names(address, 20)
    b.ctl("drain", "o", "a")
    b.ctl("ready", "o", "a")
    b.write_config("{}")
    os.kill(b.process.pid, signal.SIGHUP)
    b.wait_event("reload refused, the old configuration stays")
    tail = b.process.output()[marked:].splitlines()
    s.check(not any("msg=\"flow\"" in line for line in tail),
            "access: false")
    s.equal({parse_line(line)["level"] for line in tail
             if parse_line(line)} - {"error", "warn"}, set(),
            "levels below warn")
    b.write_config(config)
    b.idle()
    b.process.send(signal.SIGTERM)
    s.equal(b.exit_code(), 0, "exit code")


scenario.run(test, user="nobody")
