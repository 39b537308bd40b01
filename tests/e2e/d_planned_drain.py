#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.ask import ask
from lib.braidd import Braid

CLIENTS = [f"10.{i // 16}.{i % 16 * 16}.0/24" for i in range(60)]
POPS = ["near", "far"]
CUT = 5


class Fleet:
    def __init__(self, s):
        port = s.port()
        self.s, self.server = s, ("127.0.0.1", port)
        self.b = Braid(s, {
            "dns": {"bind": f"127.0.0.1:{port}", "zones": {"cdn.example": {
                "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 60",
                            "@ NS ns1", "ns1 A 192.0.2.53"],
                "resources": {"shop": {"pops": POPS, "ttl": "30s",
                                       "target": "{pop}.{resource}"}}}}},
            "pops": {name: {"addresses": [f"192.0.2.{10 + i}"],
                            "slow_start": 0}
                     for i, name in enumerate(POPS)}})

    def answers(self):
        """(POP, TTL) of each client."""
        found = (ask(self.server, "shop.cdn.example", ecs=c).answer[0]
                 for c in CLIENTS)
        return [(r.data.split(".")[0], r.ttl) for r in found]

    def split(self):
        return [pop for pop, _ in self.answers()]

    def ttls(self):
        return {ttl for _, ttl in self.answers()}

    def near(self):
        return self.b.ctl("pops")["pops"][0]

    def decision(self):
        return self.b.ctl("dns", "explain", "shop.cdn.example", "--from",
                          CLIENTS[0])["decision"]

    def is_usual(self):
        return all(27 <= ttl <= 33 for ttl in self.ttls())


def far_off(s, f):
    """Nothing but the plan is different, whatever happens meanwhile."""
    b, before = f.b, f.split()
    s.equal(set(before), set(POPS), "both POPs have clients")
    s.equal(f.near()["drains_in_seconds"], None, "nothing is planned")
    s.equal(b.metrics().value("braid_pop_drain_time_seconds", pop="near"), 0,
            "and the metric says so")
    said = b.braidctl("drain", "pop:near", "--in", "10m").stdout
    s.check("POP near: ready, drains in " in said, f"planned: {said.strip()}")
    b.wait_event("POP drain planned", pop="near", **{"in": "600s"})
    for what, do in (("told", lambda: None), ("reloaded", b.reload),
                     ("upgraded", b.upgrade)):
        do()
        s.check(0 < f.near()["drains_in_seconds"] <= 600 and
                f.near()["admin"] == "ready", f"{what}: it is planned")
        s.equal((f.split(), f.is_usual(), f.decision()["ttl_cut"]),
                (before, True, False), f"{what}: clients and TTLs stay")
    s.check("unchecked, drains in " in b.braidctl("pops").stdout,
            "in the table")
    s.check(b.metrics().value("braid_pop_drain_time_seconds", pop="near") >
            1e9, "and in the metrics")


def near_by(s, f):
    """Two TTLs before, which are 66 s."""
    b, before = f.b, f.split()
    b.ctl("drain", "pop:near", "--in", "50s")
    s.until(lambda: f.ttls() == {CUT}, "moved near: all TTLs are cut")
    s.equal(f.split(), before, "and nobody has moved")
    d = f.decision()
    s.equal((d["ttl_s"], d["ttl_cut"], d["ttl_configured_s"]), (CUT, True, 30),
            "explain says so")
    s.check(", for a planned move is near" in b.braidctl(
        "dns", "explain", "shop.cdn.example").stdout, "for people, too")
    b.ctl("ready", "pop:near")
    s.until(f.is_usual, "cancelled: TTLs are as they were")
    s.equal(f.near()["drains_in_seconds"], None, "nothing is planned")
    s.check(b.events("POP drain cancelled", pop="near"), "which was logged")


def happens(s, f, meanwhile):
    """It leaves, and takes its short TTL with it."""
    b, before = f.b, f.split()
    n = len(b.events("POP out of service", pop="near"))
    b.ctl("drain", "pop:near", "--in", "3s")
    s.until(lambda: f.ttls() == {CUT} or f.near()["admin"] == "drain",
            "it is near")
    meanwhile()
    s.until(lambda: set(f.split()) == {"far"}, "it has left")
    s.until(f.is_usual, "TTLs are as they were")
    s.equal((f.near()["admin"], f.near()["drains_in_seconds"]),
            ("drain", None), "it is drained like any other")
    s.equal(len(b.events("POP out of service", pop="near")), n + 1,
            "which was logged once")
    s.check(b.events("POP state set", pop="near", state="drain",
                     cause="planned"), "with its cause")
    s.equal(b.ctl_answer("drain", "pop:near", "--in", "1m")["exit"], 1,
            "who is drained cannot be drained later")
    b.ctl("ready", "pop:near")
    s.until(lambda: f.split() == before, "and it is back with its clients")


def test(s):
    """A planned drain: the TTL is cut two TTLs before, the POP's clients leave
    at the moment and not earlier, the TTL is restored; reloads and upgrades
    keep the plan, `ready` ends it."""
    f = Fleet(s)
    far_off(s, f)
    near_by(s, f)
    happens(s, f, lambda: None)
    happens(s, f, f.b.upgrade)
    for wrong in (("soon",), ("31d",), (), ("1m", "2m")):
        s.equal(f.b.ctl_answer("drain", "pop:near", "--in", *wrong)["exit"],
                64, f"--in {' '.join(wrong)}")
    f.b.stop()


scenario.run(test)
