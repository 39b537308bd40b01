#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import time

from lib import reports, scenario
from lib.origins import Origin


def reached(s, d):
    """Checks from here against what the node says."""
    b, node = d.braid, d.nodes["pop1"]
    node.check.down()
    b.wait_event("POP goes on: checks and report differ", pop="pop1",
                 checks="down", report="up")
    s.equal((d.of("pop1")["health"], d.report("pop1")["checks"],
             d.report("pop1")["differs"]), ("up", "down", True),
            "pop1 cannot be reached, and says it is well")
    d.until_split("it keeps its share")
    s.equal(b.events("POP out of service"), [], "POPs out of service")
    node.origin.down()
    b.wait_event("POP out of service", pop="pop1")
    s.equal(d.report("pop1")["state"], "down", "its report")
    d.until_split("both agree that it is down", pop1=0)
    s.equal(b.metrics().value("braid_pop_report_up", pop="pop1"), 0,
            "the metric of its report")
    node.check.up()
    b.wait_event("POP goes on: checks and report differ", pop="pop1",
                 checks="up", report="down")
    d.until_split("it serves us, though it says it is down")
    node.origin.up()
    b.wait_event("POP checks and report differ no more", pop="pop1")
    s.until(lambda: d.report("pop1")["state"] == "up", "all is well again")


def steered(s, d):
    """Drain and load."""
    b, node = d.braid, d.nodes["pop2"]
    node.braid.ctl("drain", "o", "a")
    d.until_split("pop2 drains itself", pop2=0)
    s.equal((d.of("pop2")["admin"], d.report("pop2")["state"]),
            ("ready", "drain"), "which no operator has set here")
    s.check("drains itself" in b.braidctl("pops").stdout, "braidctl pops")
    s.equal(b.metrics().value("braid_pop_ready", pop="pop2"), 0,
            "braid_pop_ready")
    node.braid.ctl("ready", "o", "a")
    d.until_split("it is back")
    node.load(85)
    d.until_split("85 of 100 connections: 65%", pop2=65)
    s.equal(d.report("pop2")["percent"], 65, "its report")
    s.equal(b.metrics().value("braid_pop_report_weight_ratio", pop="pop2"),
            0.65, "the metric")
    s.check("up 65%" in b.braidctl("pops").stdout, "braidctl pops")
    b.ctl("weight", "pop:pop2", "50")
    d.until_split("and an operator halves that", pop2=32.5)
    b.ctl("weight", "pop:pop2", "reset")
    node.unload()
    d.until_split("they have gone")


def kept(s, d):
    """Reload and upgrade in the middle of a dispute and a drain."""
    b = d.braid
    d.nodes["pop1"].check.down()
    d.nodes["pop2"].braid.ctl("drain", "o", "a")
    d.until_split("pop1 goes on by its report, pop2 drains", pop2=0)
    s.until(lambda: d.report("pop1")["differs"], "of pop1 they differ")
    out = len(b.events("POP out of service"))
    for what in ("reload", "upgrade"):
        if what == "reload":
            b.reload(d.config(60))
        else:
            b.upgrade()
        row = d.of("pop1")
        s.equal((row["health"], row["report"]["state"]), ("up", "up"),
                f"pop1 at once after the {what}")
        s.equal(d.report("pop2")["state"], "drain", f"pop2 after the {what}")
        d.until_split(f"the same shares after the {what}", pop2=0)
    s.equal(len(b.events("POP out of service")), out,
            "POPs that were out of service meanwhile")
    d.nodes["pop1"].check.up()
    d.nodes["pop2"].braid.ctl("ready", "o", "a")
    d.until_split("all is well")


def say(text):
    def handler(sock, _number):
        sock.sendall(text)
    return handler


def hang(sock, _number):
    sock.sendall(b"up rea")
    while sock.recv(100):
        pass


def flood(sock, _number):
    for _ in range(1000):
        sock.sendall(b"up" * 5000)


def abused(s, d):
    """In place of a node something else answers."""
    b, node = d.braid, d.nodes["pop3"]
    address = (node.host, d.agent)
    node.braid.stop()
    # The last one may have been under way, and was reset.
    b.wait_event("POP not reported of", pop="pop3")
    for what, handler in {
            "a web server": say(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            "noise": say(bytes(range(256)) * 8), "nothing": say(b""),
            "half a line": hang, "a flood": flood}.items():
        agent = Origin(s, handler, address)
        failed = b.ctl("servers", "pop:pop3")["servers"][0]["agent"]
        s.until(lambda: b.ctl("servers", "pop:pop3")["servers"][0]["agent"]
                ["checks_failed"] > failed["checks_failed"] + 1,
                f"{what} is no report")
        agent.down()
    d.until_split("its own check goes on, so does its share")
    # The same line in two parts, with a pause.
    agent = Origin(s, lambda sock, _: [
        sock.sendall(b"up rea"), time.sleep(0.05), sock.sendall(b"dy 25%\n")],
        address)
    d.until_split("a line in two parts is one", pop3=25)
    agent.handler = say(b"up ready 900%\n")
    d.until_split("more than all is all")
    agent.handler = say(b"maint\n")
    d.until_split("maint takes it out", pop3=0)
    checks = b.ctl("servers", "pop:pop3")["servers"][0]["checks"]
    s.until(lambda: b.ctl("servers", "pop:pop3")["servers"][0]["checks"] >
            checks + 2, "checks from here go on all the same")
    agent.handler = say(b"ready 100%\n")
    d.until_split("ready takes it back")


def test(s):
    """POPs whose nodes report of themselves: who is reached and who says that
    he is well, drain, load, reload, upgrade, and agents that make no
    sense."""
    d = reports.Steered(s, "127.5.0")
    s.until(lambda: all((d.report(pop) or {}).get("percent") == 100
                        for pop in d.nodes), "all report that they are well")
    d.until_split("the configured shares")
    s.check(d.report("pop1")["heard_seconds"] >= 0, "with their age")
    reached(s, d)
    steered(s, d)
    kept(s, d)
    abused(s, d)
    for name in ("pop1", "pop2"):
        d.nodes[name].braid.stop()
    d.braid.stop()


scenario.run(test)
