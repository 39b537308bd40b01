#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import signal
import time

from lib import client, reports, scenario


def hand_over(s, d):
    """To a new process; a flow keeps the old one, which hears of no POP any
    more, for as long as the scenario lasts."""
    port = s.port()
    b = d.braid
    b.reload({**d.config(30),
              "listeners": {"web": {"bind": f"127.0.0.1:{port}",
                                    "pool": "o"}},
              "pools": {"o": {"servers": {
                  "a": {"address": d.nodes["pop1"].origin.text}}}}})
    sock = client.connect(("127.0.0.1", port))
    s.defer(sock.close)
    s.check(client.echoes(sock), "a flow lives")
    b.upgrade()
    return sock


def test(s):
    """Reports of POPs that fall silent: they count for 30 s and then for
    nothing, so load and drain end and the checks from here decide. An old
    process that still has a flow has nothing to say of them."""
    d = reports.Steered(s, "127.6.0")
    b = d.braid
    one, two, three = (d.nodes[name] for name in ("pop1", "pop2", "pop3"))
    one.load(85)
    three.braid.ctl("drain", "o", "a")
    two.check.down()
    d.until_split("pop1 is loaded, pop3 drains, pop2 is not reached from here",
                  pop1=65, pop3=0)
    s.until(lambda: d.report("pop2")["differs"], "but says it is well")

    flow = hand_over(s, d)
    since = time.monotonic()
    for node in d.nodes.values():
        node.braid.process.send(signal.SIGSTOP)
        s.defer(lambda node=node: node.braid.process.send(signal.SIGCONT))
    silent = {name: d.failed(name) for name in d.nodes}
    # One may have been under way.
    for name in d.nodes:
        s.until(lambda name=name: d.failed(name) > silent[name] + 1,
                f"{name} is silent")
    said = {name: len(b.events("POP not reported of", pop=name))
            for name in d.nodes}
    s.check(all(said.values()), "the log says so")
    s.equal(b.events("POP report too old"), [], "reports that are too old yet")
    s.equal(d.shares(), reports.split({"pop1": 32.5, "pop2": 30, "pop3": 0}),
            "the shares just after they have fallen silent")
    for name in d.nodes:
        b.wait_event("POP report too old", seconds=60, pop=name)
    s.say(f"too old {time.monotonic() - since:.2f} s after they were stopped")
    s.equal(len(b.events("POP report too old")), 3, "lines about that")
    b.wait_event("POP out of service", pop="pop2")
    d.until_split("pop1 has its configured weight, pop3 too, pop2 is down",
                  pop2=0)
    for name in d.nodes:
        s.equal((d.report(name)["state"], d.report(name)["percent"]),
                ("none", None), f"the report of {name}")
    s.check(b.braidctl("pops").stdout.count("too old") == 3, "braidctl pops")
    s.equal(b.metrics().value("braid_pop_reports", pop="pop1"), 0,
            "reports of pop1 that count")
    s.check(b.metrics().value("braid_pop_report_age_seconds", pop="pop1") > 30,
            "and how old the last is")
    s.equal({name: len(b.events("POP not reported of", pop=name))
             for name in d.nodes}, said, "of each silence it says it once")

    for node in d.nodes.values():
        node.braid.process.send(signal.SIGCONT)
    d.until_split("heard again, they count again", pop1=65, pop3=0)
    s.equal((d.of("pop2")["health"], d.of("pop2")["report"]["checks"]),
            ("up", "down"), "pop2 goes on again")
    flow.close()
    one.unload()
    for node in (one, two, three):
        node.braid.stop()
    b.stop()


scenario.run(test)
