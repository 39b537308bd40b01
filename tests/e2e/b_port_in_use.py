#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal
import socket

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name


def test(s):
    """An address in use, for a listener, /metrics or the control socket: exit
    69 and a message that names it. Sockets that a crash left behind are
    replaced."""
    origin = Origin(s, name("a"))
    path = s.path("first/web.sock")

    def config(*binds, **rest):
        return {
            "listeners": {"web": {"bind": list(binds), "pool": "o"}},
            "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
            **rest}

    def refused(what, name, text):
        b = Braid(s, text, name=name, wait=False)
        s.equal(b.exit_code(), 69, f"{what}: exit code")
        output = b.process.output()
        s.check(output.startswith("braidd: ") and output.count("\n") == 1,
                f"{what}: one plain line")
        return output

    taken = socket.socket()
    taken.bind(("127.0.0.1", s.port()))
    taken.listen(1)
    bind = "%s:%d" % taken.getsockname()
    free = f"127.0.0.1:{s.port()}"
    said = refused("listener", "taken", config(free, bind))
    s.check(bind in said and "web" in said, f"it names both: {said.strip()}")
    said = refused("api", "api", config(free, api={"listen": bind}))
    s.check(bind in said and "api" in said, f"it names both: {said.strip()}")

    first = Braid(s, config(free, f"unix:{path}"), name="first")
    said = refused("control socket", "second", config(
        f"127.0.0.1:{s.port()}", **{"global": {"control": first.control}}))
    s.check(first.control in said and "another braidd" in said,
            f"another braidd: {said.strip()}")
    said = refused("unix socket", "third", config(f"unix:{path}"))
    s.check(path in said, f"it names the path: {said.strip()}")
    said = refused("another braidd's port", "fourth", config(free))
    s.check(free in said, "two braidd do not share a port by accident")
    s.equal(client.names(path, 3), {"a": 3}, "the first is not disturbed")
    s.equal(first.status()["state"], "serving", "and serves")

    os.kill(first.status()["pid"], signal.SIGKILL)
    first.process.wait()
    first.stopped = True
    s.check(os.path.exists(path) and os.path.exists(first.control),
            "a crash leaves its sockets behind")
    again = Braid(s, config(free, f"unix:{path}"), name="first")
    s.equal(client.names(path, 3), {"a": 3}, "the next one replaces them")
    again.stop()
    s.check(not os.path.exists(path) and not os.path.exists(again.control),
            "a clean end removes them")


scenario.run(test, user="nobody")
