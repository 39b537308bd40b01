#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from collections import Counter

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.origins import Origin, echo

CLIENTS = [f"10.{i // 16}.{i % 16 * 16}.0/24" for i in range(300)]
POPS = ["pop1", "pop2", "pop3"]


def test(s):
    """A POP whose check fails gets no clients any more, and those of the
    others stay where they were; it is the same with one that an operator
    drains. When all have failed, all are served."""
    port, check = s.port(), s.port()
    server = ("127.0.0.1", port)
    origins = {f"pop{i}": Origin(s, echo, (f"127.0.0.{i + 1}", check))
               for i in (1, 2, 3)}
    b = Braid(s, {
        "dns": {"bind": f"127.0.0.1:{port}", "zones": {"cdn.example": {
            "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
                        "ns1 A 192.0.2.53"],
            "resources": {"shop": {"pops": POPS, "target": "{pop}.{resource}"
                                   }}}}},
        "pops": {name: {"addresses": [origin.address[0]], "slow_start": 0,
                        "health": {"type": "tcp", "interval": "200ms",
                                   "timeout": "1s", "port": check}}
                 for name, origin in origins.items()}})

    def pops_of():
        return {client: ask(server, "shop.cdn.example", ecs=client)
                .data("CNAME")[0].split(".")[0] for client in CLIENTS}

    def none_at(pop):
        return pop not in pops_of().values()
    before = pops_of()
    s.equal(sorted(set(before.values())), POPS, "all three have clients")
    origins["pop2"].down()
    s.until(lambda: none_at("pop2"), "pop2 is down: no client is sent there")
    now = pops_of()
    s.check(all(now[c] == before[c] for c in CLIENTS if before[c] != "pop2"),
            "clients of the others stay")
    s.say(f"of pop2's: {Counter(now[c] for c in CLIENTS if before[c] == 'pop2')}")
    origins["pop2"].up()
    s.until(lambda: pops_of() == before, "it is back, and so are its clients")
    b.ctl("drain", "pop:pop1")
    s.until(lambda: none_at("pop1"), "an operator drains pop1")
    b.ctl("ready", "pop:pop1")
    s.until(lambda: pops_of() == before, "and takes it back")
    for origin in origins.values():
        origin.down()
    b.wait_event("POP out of service")
    s.until(lambda: len(b.events("POP out of service")) >= 4,
            "all are down")
    s.until(lambda: pops_of() == before, "all are served as if all were up")
    b.stop()


scenario.run(test)
