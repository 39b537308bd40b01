#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal

from lib import client, scenario
from lib.braidd import Braid
from lib.dns import Dns
from lib.origins import Origin, greeter


def test(s):
    """HUP to a new process that serves already but has not taken over yet:
    the reload waits, so that the file of a unix listener that it takes away
    has an owner who removes it."""
    dns = Dns(s)
    dns.silent = True
    origin = Origin(s, greeter("a"))
    port = s.port()
    path = os.path.join(s.make_folder("unix", scenario.NAMELESS), "listener")

    def config(unix=False, name=False):
        servers = {"a": {"address": origin.text}}
        if name:
            servers["n"] = {"address": f"n.test:{port}"}
        listeners = {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}}
        if unix:
            listeners["unix"] = {"bind": f"unix:{path}", "pool": "o"}
        return {
            "global": {"resolvers": [dns.text],
                       "resolve": {"timeout": "2s", "retries": 0}},
            "listeners": listeners, "pools": {"o": {"servers": servers}},
        }

    b = Braid(s, config(unix=True))
    old = b.process.pid
    # Once it is stopped it writes no log.
    b.wait_event("serving")
    held = client.connect(path)
    s.equal(client.read_exactly(held, 1), b"a", "who answers at the file")

    s.say("-- the old one stops while the new one waits for a name")
    b.write_config(config(unix=True, name=True))
    os.kill(old, signal.SIGUSR2)
    s.until(lambda: dns.count("n.test", "A"), "the new one asks for the name")
    os.kill(old, signal.SIGSTOP)
    s.defer(lambda: b.process.send(signal.SIGCONT))
    s.until(lambda: len(b.events("serving")) == 2, "the new one serves")
    s.equal(b.events("took over"), [], "but has not taken over")
    b.pids.append(int(b.events("serving")[1]["pid"]))
    b.write_config(config())
    os.kill(b.pid, signal.SIGHUP)
    s.until(lambda: b.events("reload waits") or b.events("reloaded"),
            "it has heard the signal")

    s.say("-- the old one goes on")
    b.process.send(signal.SIGCONT)
    b.wait_event("took over")
    b.wait_event("reloaded")
    s.until(lambda: not os.path.exists(path), "the file is removed")
    s.equal([row["listener"] for row in b.ctl("listeners")["listeners"]],
            ["web"], "listeners")
    with client.connect(("127.0.0.1", port)) as sock:
        s.equal(client.read_exactly(sock, 1), b"a", "who answers")
    s.check(client.echoes(held), "the flow of the file lives")
    held.close()
    b.stop()


scenario.run(test)
