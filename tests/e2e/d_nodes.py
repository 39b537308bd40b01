#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.ask import ask
from lib.braidd import Braid

NAMES = ["pop1", "pop2", "pop3", "pop4"]
WEIGHTS = {"pop1": 40, "pop2": 30, "pop3": 20, "pop4": 10}
CLIENTS = [f"10.{i // 16}.{i % 16 * 16}.0/24" for i in range(100)] + \
    [f"2001:db8:{i:x}00::/56" for i in range(50)]
# What literal is for; any other address gets pick.
FRIEND, STRANGER = "127.0.0.1", "127.0.0.2"


def config(port, order):
    """Everything by name in another order."""
    names = [NAMES[i] for i in order]

    def resource(**more):
        return {"pops": names, "n": 3,
                "weights": {name: WEIGHTS[name] for name in names}, **more}
    return {
        "dns": {"bind": f"127.0.0.1:{port}", "zones": {"cdn.example": {
            "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
                        "ns1 A 192.0.2.53"],
            "resources": {
                "pick": resource(alpn=["h2"]),
                "@": resource(mode="rank", alpn=["h2"]),
                "many": resource(mode="addrs"),
                "_chat._tcp": resource(mode="srv", port=5222),
                "raw": resource(mode="literal", allow=[f"{FRIEND}/32"])}}}},
        "pops": {name: {"addresses": [f"192.0.2.{name[-1]}",
                                      f"2001:db8::{name[-1]}"]}
                 for name in names}}


def pops_in(texts):
    """The POPs by the last digit of their names or addresses."""
    return [text.split(".cdn")[0][-1] for text in texts]


def ranked(a):
    return pops_in(target for _, target, _ in sorted(a.data("HTTPS"))[:3])


def of_client(server, client):
    """What one client gets, of every mode and type."""
    a = ask(server, "cdn.example", "HTTPS", ecs=client)
    got = {"rank": ranked(a), "rank ttl": a.answer[0].ttl, "scope": a.scope}
    for kind in ("A", "AAAA"):
        a = ask(server, "cdn.example", kind, ecs=client)
        got[f"rank {kind}"] = pops_in(a.data(kind))
        got[f"{kind} ttl"] = a.answer[0].ttl
        got[f"addrs {kind}"] = pops_in(
            ask(server, "many.cdn.example", kind, ecs=client).data(kind))
    for kind in ("A", "AAAA", "HTTPS", "CNAME"):
        got[f"pick {kind}"] = pops_in(
            ask(server, "pick.cdn.example", kind, ecs=client).data("CNAME"))
    got["literal"] = pops_in(
        ask(server, "raw.cdn.example", "CNAME", ecs=client).data("CNAME"))
    return got


def one(s, server):
    """One node's answers by themselves."""
    got = {client: of_client(server, client) for client in CLIENTS}
    s.check(all(g["rank A"] == g["rank AAAA"] == g["rank"][:1] and
                g["rank ttl"] == g["A ttl"] == g["AAAA ttl"]
                for g in got.values()),
            "rank: the addresses are those of the first, with its TTL")
    s.check(all(g["addrs A"] == g["addrs AAAA"] and
                len(set(g["addrs A"])) == 2 for g in got.values()),
            "addrs: two POPs, as 40 of 100 leave room for, both families")
    s.check(all(len({tuple(g[f"pick {kind}"]) for kind in
                     ("A", "AAAA", "HTTPS", "CNAME")}) == 1
                for g in got.values()), "pick: one POP for every type")
    s.check(all(len(set(g["literal"])) == 3 for g in got.values()),
            "literal: three aliases")
    s.equal({g["scope"] for c, g in got.items() if "." in c}, {20},
            "the scope of IPv4")
    s.equal({g["scope"] for c, g in got.items() if ":" in c}, {40},
            "the scope of IPv6")
    s.equal({tuple(g["pick A"]) for g in got.values()},
            {("1",), ("2",), ("3",), ("4",)}, "all POPs have clients")
    return got


def test(s):
    """Two nodes whose files have all in another order say the same to each
    client, in every mode and for every type."""
    ports = s.port(), s.port()
    orders = [0, 1, 2, 3], [2, 0, 3, 1]
    nodes = [Braid(s, config(port, order), name=f"node{port}")
             for port, order in zip(ports, orders)]
    servers = [("127.0.0.1", port) for port in ports]
    answers = [one(s, server) for server in servers]
    s.equal(answers[0] == answers[1], True, "both nodes say the same")

    for server in servers:
        a = ask(server, "_chat._tcp.cdn.example", "SRV", ecs=CLIENTS[0])
        s.check(all(r[0] == 1 and r[2] == 5222 for r in a.data("SRV")) and
                len(a.data("SRV")) == 3, "srv: three POPs at one priority")
        s.check("chat-tcp--pop1.cdn.example." in
                [r[3] for r in a.data("SRV")], "the heaviest is among them")
        a = ask(server, "raw.cdn.example", "CNAME", source=STRANGER)
        s.equal(len(a.data("CNAME")), 1, "literal: one alias for strangers")
    for b in nodes:
        b.stop()


scenario.run(test)
