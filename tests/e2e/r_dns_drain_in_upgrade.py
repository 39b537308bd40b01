#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.ask import ask
from lib.braidd import Braid

CLIENTS = [f"10.{i // 16}.{i % 16 * 16}.0/24" for i in range(40)]
NAMES = 40000  # loading takes longer than it is until the drain


def test(s):
    """A planned drain that is due while a new process starts is done, and
    said, by one of the two; with one that fails, by the old one."""
    port = s.port()
    file = s.path("big.zone")
    with open(file, "w", encoding="ascii") as f:
        f.write("$TTL 60\n@ SOA ns1 hostmaster 1 3600 600 86400 60\n@ NS ns1\n"
                "ns1 A 192.0.2.53\n" +
                "".join(f"h{i} A 192.0.2.1\n" for i in range(NAMES)))
    b = Braid(s, {
        "dns": {"bind": f"127.0.0.1:{port}", "zones": {"cdn.example": {
            "file": file, "resources": {"shop": {
                "pops": ["near", "far"], "target": "{pop}.{resource}"}}}}},
        "pops": {name: {"addresses": [address], "slow_start": 0}
                 for name, address in {"near": "192.0.2.1",
                                       "far": "192.0.2.2"}.items()}})

    def served():
        return {ask(('127.0.0.1', port), "shop.cdn.example", ecs=client)
                .data("CNAME")[0].split(".")[0] for client in CLIENTS}

    def said():
        return b.events("POP state set", pop="near", cause="planned")

    def fails():
        s.equal(b.ctl_answer("upgrade", "/bin/false")["exit"], 1,
                "an upgrade that fails")
    for rounds, upgrade in enumerate((b.upgrade, fails, b.upgrade), 1):
        s.until(lambda: served() == {"near", "far"}, "both are served")
        b.ctl("drain", "pop:near", "--in", "200ms")
        upgrade()
        s.until(lambda: b.ctl("pops")["pops"][0]["admin"] == "drain",
                "it is drained")
        s.until(lambda: served() == {"far"}, "and gets nobody")
        s.until(lambda: len(said()) >= rounds, "it is said")
        b.ctl("ready", "pop:near")
    b.stop()
    s.equal(len(said()), 3, "drains, each said once")


scenario.run(test)
