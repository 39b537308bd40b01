#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.netns import Namespace
from lib.process import Skip
from lib.resolvers import KINDS, ROOT_ZONE, Resolver
from lib.scenario import find_program

POPS = {"pop1": "192.0.2.10", "pop2": "192.0.2.20", "pop3": "192.0.2.30"}
ZONE = ["@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
        "ns1 A 127.0.0.1"]
# What each resource is asked for, and how many records a client then has.
ASKED = {"shop": {"A": 1}, "top": {"HTTPS": 4, "A": 1}, "many": {"A": 2},
         "_x._tcp": {"SRV": 3}}


def told(answer, kind):
    """What a client gets, in a few words."""
    cnames = answer.data("CNAME")
    records = answer.data(kind)
    return (f"{answer.rcode}, {len(cnames)} CNAME, {len(records)} {kind}")


def test(s):
    """Resolvers that people use accept each mode, hot and cold; several
    aliases at one name (`literal`) get whatever each makes of it."""
    s.need_root()
    there = [kind for kind in KINDS if find_program(KINDS[kind][0])]
    if not there:
        raise Skip("needs one of: " + ", ".join(k[0] for k in KINDS.values()))
    space = Namespace(s)
    pops = list(POPS)
    b = Braid(s, {
        "dns": {"bind": "127.0.0.1:53", "zones": {
            ".": {"records": ROOT_ZONE},
            "cdn.example": {"records": ZONE, "resources": {
                "shop": {"pops": pops},
                "top": {"mode": "rank", "pops": pops, "n": 3, "alpn": "h2"},
                "many": {"mode": "addrs", "pops": pops, "n": 2},
                "_x._tcp": {"mode": "srv", "pops": pops, "n": 3,
                            "port": 5222},
                "several": {"mode": "literal", "pops": pops, "n": 2,
                            "allow": ["127.0.0.0/8"]}}}}},
        "pops": {name: {"addresses": [address]}
                 for name, address in POPS.items()}},
        namespace=space, ambient="net_bind_service")
    for i, kind in enumerate(there):
        resolver = Resolver(s, space, kind, f"127.0.{i + 1}.2")
        for resource, types in ASKED.items():
            name = f"{resource}.cdn.example"
            for rr_type, n in types.items():
                cold = resolver.known(name, rr_type)
                hot = resolver.known(name, rr_type)
                for how, answer in (("cold", cold), ("hot", hot)):
                    if (answer.rcode, len(answer.data(rr_type))) != \
                            ("NOERROR", n):
                        s.check(False, f"{kind}, {name} {rr_type}, {how}: "
                                f"{told(answer, rr_type)}, not {n}")
                s.check(sorted(map(str, cold.data(rr_type))) ==
                        sorted(map(str, hot.data(rr_type))),
                        f"{kind}: {resource} {rr_type}: {told(hot, rr_type)}")
        for how in ("cold", "hot"):
            answer = resolver.ask("several.cdn.example")
            s.say(f"{kind}: literal, {how}: {told(answer, 'A')} "
                  f"{answer.data('CNAME')} {answer.data('A')}")
        resolver.process.end()
    b.stop()


scenario.run(test)
