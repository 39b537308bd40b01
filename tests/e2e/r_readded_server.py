#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter, name


def test(s):
    """A server that one reload removes and a later one adds again starts
    afresh: neither drained nor with the weight of before. One that stays
    keeps both, also over a reload that is refused."""
    origins = {n: Origin(s, name(n)) for n in "abc"}
    long_lived = Origin(s, greeter("d"))
    port = s.port()

    def config(names):
        servers = {n: {"address": origins[n].text, "weight": 2}
                   for n in names}
        return {
            "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
            "pools": {"o": {"servers": servers}},
        }

    origins["d"] = long_lived
    b = Braid(s, config("d"))
    # A flow that keeps the pool of the first file to the end.
    held = client.connect(("127.0.0.1", port))
    s.equal(client.read_exactly(held, 1), b"d", "a long flow")
    b.reload(config("abcd"))
    for n in "abd":
        b.ctl("drain", "o", n)
    b.ctl("weight", "o", "c", 1)
    before = {n: b.server("o", n) for n in "abcd"}
    s.equal([before[n]["admin"] for n in "abcd"],
            ["drain", "drain", "ready", "drain"], "set")

    b.reload(config("a"))
    s.equal(b.server("o", "a")["admin"], "drain", "who stays is drained")
    b.write_config("listeners: 1")
    s.check(b.ctl_answer("reload")["exit"], "a bad file is refused")
    s.equal(b.server("o", "a")["admin"], "drain", "and still so")
    b.reload(config("abcd"))
    after = {n: b.server("o", n) for n in "abcd"}
    s.equal([after[n]["admin"] for n in "abcd"],
            ["drain", "ready", "ready", "ready"], "who came back is ready")
    s.equal([after[n]["weight"] for n in "bcd"], [2, 2, 2],
            "with the weight of the file")
    b.ctl("drain", "o", "d")  # it does not end its answers
    s.equal(set(client.names(("127.0.0.1", port), 30)) >= set("bc"), True,
            "and is used")
    s.check(client.echoes(held), "the long flow goes on")
    held.close()
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
