#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name


class Agent:
    def __init__(self, s):
        self.line, self.heard = b"ready 100%\n", b""
        self.origin = Origin(s, self.answer)
        self.port = self.origin.address[1]

    def answer(self, sock, _number):
        line = b""
        while not line.endswith(b"\n"):
            part = sock.recv(100)
            if not part:
                return
            line += part
        self.heard = line
        sock.sendall(self.line)


def test(s):
    """An agent beside two servers: percent, drain, maint, maxconn, down and
    up, garbage, no answer, and the operator's word before the agent's."""
    one, two = Origin(s, name("one")), Origin(s, name("two"))
    agent = Agent(s)
    port = s.port()
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {
            "servers": {
                "one": {"address": one.text, "weight": 100},
                "two": {"address": two.text, "weight": 40}},
            "balance": "rr",
            "health": {"interval": "50ms", "timeout": "500ms", "rise": 1,
                       "fall": 1, "fail_open": "0%"},
            "agent": {"port": agent.port, "interval": "50ms",
                      "timeout": "500ms", "send": "who\\tare you\\n"}}}}
    b = Braid(s, config)

    def says(line, condition, what):
        agent.line = line
        s.until(lambda: condition(b.server("o", "one")), what)

    says(b"75%\n", lambda x: x["weight"] == 75, "75% of 100")
    s.equal(agent.heard, b"who\tare you\n", "what the agent is sent")
    s.until(lambda: b.server("o", "two")["weight"] == 30, "75% of 40")
    line = b.wait_event("agent changed its server", server="one", weight="75")
    s.equal(line["cause"], "75%", "the cause in the log")
    says(b"50% #busy\r\n", lambda x: x["agent"]["said"] == "50% #busy",
         "braidctl shows what it said")
    s.check("agent: 50% #busy" in b.braidctl("servers").stdout,
            "the table shows it too")

    says(b"drain\n", lambda x: x["admin"] == "drain", "drained")
    s.until(lambda: b.server("o", "two")["admin"] == "drain", "both are")
    s.equal(client.ask(("127.0.0.1", port)), (b"", client.RESET),
            "a connection to a drained pool")
    says(b"ready\n", lambda x: x["admin"] == "ready", "ready")
    s.equal(b.server("o", "one")["weight"], 50, "the share is kept")

    says(b"maint\n", lambda x: x["admin"] == "maint", "in maintenance")
    s.until(lambda: b.server("o", "two")["admin"] == "maint", "both are")
    checks = b.server("o", "one")["checks"]
    asked = b.server("o", "one")["agent"]["checks"]
    s.until(lambda: b.server("o", "one")["agent"]["checks"] > asked + 3,
            "the agent is asked on")
    s.check(b.server("o", "one")["checks"] <= checks + 1,
            "checks stop in maintenance")
    says(b"up ready\n", lambda x: x["admin"] == "ready", "back")
    s.until(lambda: b.server("o", "one")["checks"] > checks + 1,
            "checks go on")

    says(b"down #disk full\n", lambda x: x["health"] == "down", "down")
    s.equal(b.server("o", "one")["cause"], "agent: down #disk full",
            "the cause")
    b.wait_event("server down by its agent", server="one")
    s.until(lambda: b.server("o", "two")["health"] == "down", "both are")
    says(b"up maxconn:7\n", lambda x: x["health"] == "up", "up")
    s.equal(b.server("o", "one")["max_connections"], 7, "its limit")

    # Garbage, silence and a refused connection are counted and change nothing.
    failed = b.server("o", "one")["agent"]["checks_failed"]
    says(b"\0" * 50 + b"\n",
         lambda x: x["agent"]["checks_failed"] > failed + 2, "garbage counts")
    says(b"x" * 4000,
         lambda x: x["agent"]["checks_failed"] > failed + 5, "endless too")
    says(b"hello you 20000000000% maxconn:-1\n",
         lambda x: x["agent"]["said"] == "", "unknown words are no words")
    now = b.server("o", "one")
    s.equal((now["health"], now["admin"], now["weight"],
             now["max_connections"]), ("up", "ready", 50, 7), "as before")
    sample = b.metrics().value("braid_server_agent_checks_failed_total",
                               pool="o", server="one")
    s.check(sample > failed, f"the metric: {sample}")

    # The operator's word goes first.
    b.ctl("weight", "o", "one", "9")
    says(b"100%\n", lambda x: x["agent"]["said"] == "100%", "100% was heard")
    s.equal(b.server("o", "one")["weight"], 9, "the operator's weight")
    b.ctl("drain", "o", "one")
    says(b"ready 100%\n", lambda x: x["agent"]["said"] == "ready 100%",
         "ready was heard")
    s.equal(b.server("o", "one")["admin"], "drain", "the operator's drain")
    b.ctl("ready", "o", "one")
    b.ctl("weight", "o", "one", "reset")
    s.equal(b.server("o", "one")["weight"], 100, "the agent's share then")

    # Without the agent its words do not hold.
    says(b"10% down maxconn:1\n", lambda x: x["health"] == "down", "down")
    del config["pools"]["o"]["agent"]
    b.reload(config)
    for server in ("one", "two"):
        s.until(lambda: b.server("o", server)["health"] == "up",
                f"{server} is up without it")
    now = b.server("o", "one")
    s.equal((now["weight"], now["max_connections"], now["agent"]),
            (100, 0, None), "as configured")
    s.equal(set(client.names(("127.0.0.1", port), 10)), {"one", "two"},
            "who answers at the end")
    b.stop()


scenario.run(test)
