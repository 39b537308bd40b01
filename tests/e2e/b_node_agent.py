#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import signal
import socket
import threading

from lib import agents, client, scenario
from lib.braidd import Braid
from lib.origins import Origin, echo
from lib.proxies import Haproxy

HAPROXY = """
global
	stats socket {stats} mode 600
listen front
	bind 127.0.0.1:{front}
	balance roundrobin
	default-server weight 100 agent-check agent-port {agent} agent-inter 50ms
	server node 127.0.0.1:{web}
"""


class Stats:
    """What HAProxy thinks of its server."""

    def __init__(self, path):
        self.path = path

    def row(self):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(self.path)
            sock.sendall(b"show stat\n")
            lines = client.read_end(sock)[0].decode().splitlines()
        keys = lines[0].lstrip("# ").split(",")
        return next(dict(zip(keys, line.split(","))) for line in lines[1:]
                    if line.startswith("front,node,"))

    def says(self, state, weight=None):
        row = self.row()
        return row["status"].startswith(state) and \
            (weight is None or row["weight"] == str(weight))


def test(s):
    """A Braid says how it does at agent.listen: load, drain, down; HAProxy
    goes by it; who may not ask, dribbles or floods does no harm; reload and
    upgrade leave nobody without an answer."""
    one, two = Origin(s, echo), Origin(s, echo)
    web, port, front = s.port(), s.port(), s.port()

    def config(allow):
        return {
            "global": {"max_connections": 100, "drain": "600s"},
            "agent": {"listen": f"127.0.0.1:{port}", "smooth": "0s",
                      **allow},
            "listeners": {"web": {"bind": f"127.0.0.1:{web}", "pool": "o"}},
            "pools": {"o": {
                "servers": {"one": {"address": one.text},
                            "two": {"address": two.text}},
                "health": {"interval": "50ms", "timeout": "500ms", "rise": 1,
                           "fall": 1}}}}

    b = Braid(s, config({}))
    address = ("127.0.0.1", port)

    def hears(line, what):
        s.until(lambda: agents.hear(address) == line, what)

    hears("up ready 100%", "all is well")
    s.equal(agents.hear(address, b"who are you\n" * 50), "up ready 100%",
            "who says something first, and more than is read at once")
    stats = Stats(s.path("stats"))
    Haproxy(s, HAPROXY.format(stats=stats.path, front=front, agent=port,
                              web=web), [front])
    s.until(lambda: stats.says("no check", 100) or stats.says("UP", 100),
            "HAProxy has it with all of its weight")

    held = [client.connect(("127.0.0.1", web)) for _ in range(85)]
    hears("up ready 65%", "85 of 100 connections leave it 65%")
    s.until(lambda: stats.row()["weight"] == "65", "HAProxy's weight")
    agent = b.status()["agent"]
    s.equal((agent["says"], agent["connections_used_ratio"]),
            ("up ready 65%", 0.85), "what braidctl status says")
    s.check("up ready 65%" in b.braidctl("status").stdout, "and its table")
    s.until(lambda: b.metrics().value("braid_agent_weight_ratio") == 0.65,
            "the metric")
    s.check(b.metrics().value("braid_agent_answers_total") > 1,
            "answers are counted")
    for sock in held:
        sock.close()
    hears("up ready 100%", "they are gone")

    b.ctl("drain", "o", "one")
    s.until(lambda: b.server("o", "one")["admin"] == "drain", "one drains")
    b.ctl("drain", "o", "two")
    hears("up drain 100%", "operators have drained all of it")
    s.until(lambda: "DRAIN" in stats.row()["status"], "HAProxy drains it")
    b.ctl("ready", "o", "one")
    hears("up ready 100%", "and brought one back")
    s.until(lambda: "DRAIN" not in stats.row()["status"] and
            stats.row()["weight"] == "100", "HAProxy uses it")
    b.ctl("ready", "o", "two")
    one.down()
    two.down()
    hears("down ready #no pool has a usable server", "its servers are down")
    s.until(lambda: stats.says("DOWN"), "for HAProxy, too")
    one.up()
    two.up()
    hears("up ready 100%", "they are back")
    s.until(lambda: not stats.says("DOWN"), "for HAProxy, too")

    # -- who asks wrongly ----------------------------------------------
    b.reload(config({"allow": ["127.0.0.1/32", "2001:db8::/32"]}))
    s.until(lambda: agents.hear(address, source=("127.0.0.2", 0)) == "",
            "who may not ask hears nothing")
    s.until(lambda: b.metrics().value("braid_agent_refusals_total") > 0,
            "and is counted")
    s.equal(agents.hear(address), "up ready 100%", "who may")
    silent = [client.connect(address) for _ in range(40)]
    s.check(all(agents.is_ended(sock) for sock in silent),
            "who stays is ended, also beyond the room")
    for sock in silent:
        sock.close()
    for _ in range(600):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(address)
        sock.close()
    hears("up ready 100%", "after a flood")

    # -- upgrade -------------------------------------------------------
    heard, done = [], threading.Event()

    def ask():
        while not done.is_set():
            heard.append(agents.hear(address))

    asking = threading.Thread(target=ask)
    asking.start()
    s.defer(lambda: (done.set(), asking.join()))
    b.upgrade()
    before = len(heard)
    s.until(lambda: len(heard) > before + 5, "the new process answers")
    done.set()
    asking.join()
    s.equal([line for line in heard
             if not (line or "").startswith("up ready ")], [],
            "what was heard during the upgrade but up and ready")

    # -- the end -------------------------------------------------------
    with client.connect(("127.0.0.1", web)) as sock:
        s.check(client.echoes(sock), "a flow lives")
        os.kill(b.pid, signal.SIGTERM)
        hears("up drain 100%", "TERM drains it")
        s.until(lambda: "DRAIN" in stats.row()["status"], "HAProxy knows")
    s.until(lambda: agents.hear(address) is None, "the port goes with it")
    b.stop()


scenario.run(test)
