#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter, name


def test(s):
    """A reload, by HUP and by command, sends new connections to the new
    pool; live flows keep their server; keys that need a restart say so."""
    old, new = Origin(s, greeter("old")), Origin(s, name("new"))
    port = s.port()
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": old.text}}}},
    }
    b = Braid(s, config)
    held = client.connect(("127.0.0.1", port))
    client.read_exactly(held, 3)
    accepted = b.listener("web")["accepted"]

    config["pools"] = {"p": {"servers": {"b": {"address": new.text}}}}
    config["listeners"]["web"]["pool"] = "p"
    b.write_config(config)
    os.kill(b.process.pid, signal.SIGHUP)
    b.wait_event("reloaded")
    s.equal(b.status()["config"]["number"], 2, "number of the configuration")
    s.equal(client.names(("127.0.0.1", port), 20), {"new": 20},
            "after HUP new connections go to the new pool")
    s.check(client.echoes(held), "the live flow still works")
    s.equal(b.listener("web")["accepted"], accepted + 20,
            "the listener's counters went on")

    config["pools"]["p"]["servers"]["c"] = {"address": old.text, "weight": 0}
    answer = b.reload(config)
    s.equal((answer["accepted"], answer["number"]), (True, 3),
            "verdict of braidctl reload")
    s.check(answer["summary"], f"summary: {answer['summary']}")
    answer = b.reload()
    s.equal(answer["accepted"], True, "the same file again is fine")

    config["global"] = {"workers": 3}
    answer = b.reload(config)
    said = b.wait_event("this key needs a restart")
    s.check("workers" in said["key"], f"said: {said['key']}")
    s.equal(b.status()["workers"], 2, "workers")
    answer = b.reload()
    s.check(any("workers" in line for line in answer["lines"]),
            f"the file still differs from what runs: {answer['lines']}")
    config["global"] = {"workers": 2}
    answer = b.reload(config)
    s.equal(answer["lines"], [], "warnings once it is what runs again")
    s.check(client.echoes(held), "the live flow still works")
    held.shutdown(1)
    s.equal(client.read_end(held), (b"", client.FIN), "and ends well")
    flow = b.wait_flows(1, pool="o")[0]
    s.equal((flow["server"], flow["end"]), ("a", "--"),
            "its line has the pool and server it had")
    b.stop()


scenario.run(test, user="nobody")
