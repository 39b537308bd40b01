#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.ask import ask
from lib.braidd import Braid

CLIENTS = [f"10.{i // 16}.{i % 16 * 16}.0/24" for i in range(40)]


def test(s):
    """A drained POP that gets another address by a reload gets no clients for
    that; one that was taken out of the file while it was drained comes back
    without the drain. What is answered is what `braidctl pops` says."""
    port = s.port()
    server = ("127.0.0.1", port)

    def config(**pops):
        return {
            "dns": {"bind": f"127.0.0.1:{port}", "zones": {"cdn.example": {
                "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 60",
                            "@ NS ns1", "ns1 A 192.0.2.53"],
                "resources": {"shop": {"pops": list(pops),
                                       "target": "{pop}.{resource}"}}}}},
            "pops": {name: {"addresses": [address], "slow_start": 0}
                     for name, address in pops.items()}}

    def served():
        return {ask(server, "shop.cdn.example", ecs=client)
                .data("CNAME")[0].split(".")[0] for client in CLIENTS}

    def admin():
        return b.ctl("pops")["pops"][0]["admin"]
    b = Braid(s, config(near="192.0.2.1", far="192.0.2.2"))
    b.ctl("drain", "pop:near")
    s.until(lambda: served() == {"far"}, "one of two is drained")
    b.reload(config(near="192.0.2.3", far="192.0.2.2"))
    s.equal(admin(), "drain", "with another address it still is")
    s.until(lambda: served() == {"far"}, "and nobody is sent there")
    b.reload(config(far="192.0.2.2"))
    b.reload(config(near="192.0.2.3", far="192.0.2.2"))
    s.equal(admin(), "ready", "taken out and put in again it is not")
    s.until(lambda: served() == {"near", "far"}, "and has its clients")
    b.stop()


scenario.run(test)
