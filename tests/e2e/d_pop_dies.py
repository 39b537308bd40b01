#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from collections import Counter

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.content import Content
from lib.fetch import Fetch
from lib.paths import CLIENT, NEAR, Paths
from lib.range_origin import Library, RangeOrigin

POPS = ["pop1", "pop2", "pop3"]
WEIGHTS = {"pop1": 50, "pop2": 30, "pop3": 20}
# Each another one: 20 bits of the subnet count.
CLIENTS = [f"10.{i // 16}.{i % 16 * 16}.0/24" for i in range(400)]
PATH = "/a/100000"
BODY = Content(PATH, 100000).bytes()
PORT = 80
# Nobody answers a client of the dead one: it must not wait for long.
OPTIONS = ("--connect-timeout", "1", "--stall-time", "1", "--retry", "8")


def config(paths, port):
    def resource(mode, **more):
        return {"mode": mode, "pops": POPS, "weights": WEIGHTS, "ttl": "5s",
                **more}
    return {
        "dns": {"bind": f"{NEAR}:{port}", "zones": {"cdn.example": {
            "records": ["@ SOA ns1 hostmaster 1 3600 600 86400 1", "@ NS ns1",
                        f"ns1 A {NEAR}"],
            "resources": {
                "pick": resource("pick", target="{pop}.{resource}"),
                "many": resource("addrs", n=3),
                "raw": resource("literal", n=3, allow=[f"{CLIENT}/32"])}}}},
        "pops": {name: {"addresses": [paths.address(i)], "slow_start": 0,
                        "health": {"type": "tcp", "port": PORT,
                                   "interval": "500ms", "timeout": "2s",
                                   "fall": 2, "rise": 2}}
                 for i, name in enumerate(POPS)}}


def test(s):
    """Three POPs behind links of their own, and a client: one of them falls
    silent, with no reset and no refusal. Its share moves to the others by their
    weights, who was at those stays there, and braid-fetch, which goes on all
    the time, never fails. Then it comes back."""
    paths = Paths(s, [0, 0, 0])
    library = Library()
    for i, space in enumerate(paths.servers):
        space.inside(lambda i=i: RangeOrigin(
            s, library, address=(paths.address(i), PORT)))
    port = s.port()
    b = Braid(s, config(paths, port), namespace=paths.middle)
    program = Fetch(s, f"{NEAR}:{port}")

    def pops_of():
        return paths.client.inside(lambda: {
            client: ask((NEAR, port), "pick.cdn.example", ecs=client)
            .data("CNAME")[0].split(".")[0] for client in CLIENTS})

    def fetch(*arguments):
        got = paths.client.inside(lambda: program(*OPTIONS, *arguments))
        if got.code or got.body != BODY:
            failed.append((arguments, got.code, got.said))
        return got

    def round_of_fetches():
        for remember in ((), ("--no-remember",)):
            fetch(*remember, f"http://pick.cdn.example{PATH}")
            fetch(*remember, f"http://many.cdn.example{PATH}")
            fetch(*remember, "--literal", f"http://raw.cdn.example{PATH}")
    failed = []
    round_of_fetches()
    s.check(not failed, f"all are there: {failed}")
    own = fetch("--no-remember", f"http://pick.cdn.example{PATH}")
    dead = [f"{paths.address(i)}:{PORT}" for i in range(3)].index(
        own.addresses("connected")[0])
    lost, others = POPS[dead], [p for p in POPS if p != POPS[dead]]
    before = pops_of()
    s.say(f"this client's is {lost}; 400 others: {Counter(before.values())}")
    s.equal(sorted(set(before.values())), POPS, "all have clients")

    s.say(f"-- {lost} falls silent")
    paths.silence(dead)
    met = fetch(f"http://pick.cdn.example{PATH}")
    s.check(met.of("retry") or own.addresses("order") != met.addresses("order"),
            "the first fetch meets it, and tries again")
    round_of_fetches()
    s.until(lambda: lost not in pops_of().values(), "its share has moved")
    round_of_fetches()
    s.check(not failed, f"none of 13 fetches has failed: {failed}")
    after = pops_of()
    s.check(all(after[c] == before[c] for c in CLIENTS if before[c] != lost),
            "who was at the others stays there")
    moved = Counter(after[c] for c in CLIENTS if before[c] == lost)
    s.equal(sorted(moved), others, f"its clients are at both ({moved})")
    row = next(row for row in b.ctl("pops")["pops"] if row["pop"] == lost)
    s.equal(row["health"], "down", "braidctl pops")

    s.say("-- it comes back")
    paths.heal(dead)
    s.until(lambda: pops_of() == before, "and so do its clients, all of them")
    round_of_fetches()
    s.check(not failed, f"and no fetch has failed: {failed}")
    b.stop()


scenario.run(test)
