#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from collections import Counter

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.process import Failure

POPS = {"pop1": "192.0.2.10", "pop2": "192.0.2.20", "pop3": "192.0.2.30"}
CLIENTS = [f"10.{i // 16}.{i % 16 * 16}.0/24" for i in range(600)]


def same(got, want):
    """As s.equal(), without a line for each of many."""
    if got != want:
        raise Failure(f"{got}, not {want}")


def config(port, **resources):
    return {
        "dns": {"bind": f"127.0.0.1:{port}", "zones": {"cdn.example": {
            "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
                        "ns1 A 192.0.2.53"],
            "resources": resources}}},
        "pops": {name: {"addresses": [address]}
                 for name, address in POPS.items()}}


def test(s):
    """One name over three POPs: each client gets one by weight, the same for
    every type; a change of weights moves the share that changed; the other
    modes name several."""
    port = s.port()
    server = ("127.0.0.1", port)
    weights = {"pop1": 50, "pop2": 30, "pop3": 20}
    shop = {"pops": list(POPS), "weights": weights}
    b = Braid(s, config(
        port, shop=shop,
        top={"mode": "rank", "pops": list(POPS), "n": 3, "alpn": ["h2"]},
        many={"mode": "addrs", "pops": list(POPS), "n": 3},
        **{"_x._tcp": {"mode": "srv", "pops": list(POPS), "port": 5222}}))

    def pop_of(client, kind="A"):
        a = ask(server, "shop.cdn.example", kind, ecs=client)
        same((a.rcode, len(a.data("CNAME"))), ("NOERROR", 1))
        return a.data("CNAME")[0].split(".")[0]

    before = {client: pop_of(client) for client in CLIENTS}
    shares = Counter(before.values())
    s.say(f"shares of {len(CLIENTS)} clients: {dict(shares)}")
    s.equal(sorted(shares), [f"shop--{p}" for p in POPS], "three targets")
    for pop, weight in weights.items():
        expected = len(CLIENTS) * weight / 100
        s.check(abs(shares[f"shop--{pop}"] - expected) < 60,
                f"{pop} has its share")
    for client in CLIENTS[:40]:
        same({pop_of(client, kind) for kind in
                         ("A", "AAAA", "HTTPS", "TXT")}, {before[client]})
    s.check(True, "each type has the same answer")
    a = ask(server, "shop.cdn.example", ecs=CLIENTS[0])
    s.check(0 < a.scope <= 24, f"scope {a.scope}: the subnet decided")
    s.equal([r.kind for r in a.answer], ["CNAME"], "and the alias is alone")
    a = ask(server, "shop--pop2.cdn.example")
    s.equal((a.data("A"), a.scope if a.options.get(8) else 0),
            ([POPS["pop2"]], 0), "the target has the POP's address")
    a = ask(server, "shop.cdn.example")
    s.equal(len(a.data("A")), 1, "without a subnet: the chain in one answer")

    a = ask(server, "top.cdn.example", "HTTPS", ecs=CLIENTS[0])
    s.equal([d[0] for d in sorted(a.data("HTTPS"))][:3], [1, 2, 3],
            "rank: by priority")
    s.equal({r.data for r in a.additional}, set(POPS.values()),
            "with the addresses of all")
    a = ask(server, "_x._tcp.cdn.example", "SRV", ecs=CLIENTS[0])
    s.equal(({r.data for r in a.additional},
             {r.name for r in a.additional} == {d[3] for d in a.data("SRV")}),
            (set(POPS.values()), True), "srv: with those of the names in it")
    a = ask(server, "many.cdn.example", ecs=CLIENTS[0])
    s.equal(len(set(a.data("A"))), 3, "addrs: of three POPs")

    # 10 of 100 move from pop1 to pop3.
    shop["weights"] = {"pop1": 40, "pop2": 30, "pop3": 30}
    b.reload(config(port, shop=shop))
    after = {client: pop_of(client) for client in CLIENTS}
    moved = sum(before[c] != after[c] for c in CLIENTS)
    s.say(f"moved by a change of 10 %: {moved} of {len(CLIENTS)}")
    s.check(0 < moved < 0.16 * len(CLIENTS), "only the share that changed")
    s.equal(ask(server, "top.cdn.example").rcode, "NXDOMAIN",
            "a resource that is gone")
    b.stop()


scenario.run(test)
