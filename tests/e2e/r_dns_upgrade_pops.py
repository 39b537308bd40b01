#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.origins import Origin

CLIENTS = [f"10.{i // 16}.{i % 16 * 16}.0/24" for i in range(40)]


def test(s):
    """A new process knows a drained POP also by another address, and knows
    which POPs are out of service: it says so when they are back."""
    port, agent_port = s.port(), s.port()
    agent = Origin(s, lambda sock, _: sock.sendall(line), ("127.0.0.1",
                                                           agent_port))
    line = b"up drain\n"

    def config(near):
        return {
            "dns": {"bind": f"127.0.0.1:{port}", "zones": {"cdn.example": {
                "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 60",
                            "@ NS ns1", "ns1 A 192.0.2.53"],
                "resources": {"shop": {"pops": ["near", "far", "here"],
                                       "target": "{pop}.{resource}"}}}}},
            "pops": {"near": {"addresses": [near], "slow_start": 0},
                     "far": {"addresses": ["192.0.2.2"], "slow_start": 0},
                     "here": {"addresses": [agent.address[0]],
                              "slow_start": 0,
                              "agent": {"port": agent_port,
                                        "interval": "200ms"}}}}

    def served():
        return {ask(('127.0.0.1', port), "shop.cdn.example", ecs=client)
                .data("CNAME")[0].split(".")[0] for client in CLIENTS}
    b = Braid(s, config("192.0.2.1"))
    b.ctl("drain", "pop:near")
    s.until(lambda: served() == {"far"}, "one is drained, one drains itself")
    b.write_config(b.complete(config("192.0.2.3")))
    b.upgrade()
    s.equal(b.ctl("pops")["pops"][0]["admin"], "drain",
            "with another address it still is")
    s.equal(served(), {"far"}, "and nobody is sent there")
    line = b"up ready\n"
    b.wait_event("POP in service again", pop="here")
    s.until(lambda: served() == {"far", "here"}, "who drained itself is back")
    s.equal(len(b.events("POP out of service", pop="here")), 1,
            "lines that said that it was not")
    b.ctl("ready", "pop:near")
    s.until(lambda: served() == {"near", "far", "here"}, "the other one, too")
    b.stop()


scenario.run(test)
