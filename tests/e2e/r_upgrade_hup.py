#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal

from lib import client, scenario
from lib.braidd import Braid
from lib.dns import Dns
from lib.origins import Origin, greeter

TURNS = 3  # as many generations as there may be, and the first


def test(s):
    """HUP to a new process that serves already but has not taken over yet:
    the reload waits, so that the file of a unix listener that it takes away
    has an owner who removes it."""
    dns = Dns(s)
    dns.silent = True
    origin = Origin(s, greeter("a"))
    port = s.port()
    path = os.path.join(s.make_folder("unix", scenario.NAMELESS), "listener")

    def config(unix=False, name=None):
        servers = {"a": {"address": origin.text}}
        if name:
            servers["n"] = {"address": f"{name}:{port}"}
        listeners = {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}}
        if unix:
            listeners["unix"] = {"bind": f"unix:{path}", "pool": "o"}
        return {
            "global": {"resolvers": [dns.text],
                       "resolve": {"timeout": "4s", "retries": 0}},
            "listeners": listeners, "pools": {"o": {"servers": servers}},
        }

    b = Braid(s, config(unix=True))
    old = b.process.pid
    # Once it is stopped it writes no log.
    b.wait_event("serving")
    held = client.connect(path)
    s.equal(client.read_exactly(held, 1), b"a", "who answers at the file")

    s.say("-- the old one stops while the new one waits for a name")
    for turn in range(TURNS):
        name = f"n{turn}.test"
        b.write_config(config(unix=True, name=name))
        os.kill(old, signal.SIGUSR2)
        s.until(lambda: dns.count(name, "A"), "the new one asks for a name")
        os.kill(old, signal.SIGSTOP)
        s.until(lambda: len(b.events("serving")) == turn + 2,
                "the new one serves")
        b.pids.append(int(b.events("serving")[-1]["pid"]))
        if len(b.events("took over")) == turn:
            break
        s.say("it had done all before the other was stopped; once more")
        os.kill(old, signal.SIGCONT)
        old = b.pid
    s.equal(len(b.events("took over")), turn, "but has not taken over")
    b.write_config(config())
    os.kill(b.pid, signal.SIGHUP)
    s.until(lambda: b.events("reload waits") or b.events("reloaded"),
            "it has heard the signal")

    s.say("-- the old one goes on")
    os.kill(old, signal.SIGCONT)
    s.until(lambda: len(b.events("took over")) == turn + 1, "it takes over")
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
