#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.dns import Dns
from lib.origins import Origin, greeter

NAME = "origin.test"


def test(s):
    """The addresses of a name change under live flows: no flow ends, other
    servers keep all they have, a vanished address gets nothing new."""
    dns = Dns(s)
    port, server_port = s.port(), s.port()
    hosts = [f"127.0.0.{n}" for n in (2, 3, 4, 5)]
    origins = {h: Origin(s, greeter(h), (h, server_port)) for h in hosts}
    dns.set(NAME, "A", *hosts[:2])
    config = {
        "global": {"resolvers": [dns.text], "resolve": {"timeout": "10s"}},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"},
                      "other": {"bind": f"127.0.0.1:{s.port()}",
                                "pool": "p"}},
        "pools": {
            "o": {"balance": "rr", "health": {"interval": "100ms"},
                  "servers": {
                      "named": {"address": f"{NAME}:{server_port}"},
                      "plain": {"address": f"{hosts[3]}:{server_port}"}}},
            "p": {"servers": {"x": {"address": f"{hosts[3]}:{server_port}"}}},
        },
    }
    b = Braid(s, config)

    def opened():
        sock = client.connect(("127.0.0.1", port))
        return sock, client.read_exactly(sock, 9).decode()

    def rows():
        return {r["address"].rsplit(":")[0]: r
                for r in b.ctl("servers", "o")["servers"]}

    def served(n=40):
        found = set()
        for _ in range(n):
            sock, text = opened()
            sock.close()
            found.add(text)
        return found

    def follows(*now):
        dns.set(NAME, "A", *now)
        s.until(lambda: set(rows()) == {*now, hosts[3]} and b.adopted(),
                f"the addresses are {now}")

    follows(*hosts[:2])
    held = [opened() for _ in range(12)]
    s.equal({text for _, text in held}, {hosts[0], hosts[1], hosts[3]},
            "flows are held at")
    for host in (hosts[0], hosts[1], hosts[3]):
        s.until(lambda: rows()[host]["health"] == "up", f"{host} is up")
    b.ctl("weight", "o", f"named/{hosts[0]}:{server_port}", 3)
    before = rows()

    s.say("-- one goes, one comes")
    follows(hosts[0], hosts[2])
    after = rows()
    for host in (hosts[0], hosts[3]):
        s.equal({k: after[host][k] for k in
                 ("health", "weight", "weight_overridden", "connections")},
                {k: before[host][k] for k in
                 ("health", "weight", "weight_overridden", "connections")},
                f"{host} keeps")
        s.check(after[host]["checks"] >= before[host]["checks"] and
                after[host]["flows"] == before[host]["flows"],
                f"counters of {host} go on")
    s.until(lambda: rows()[hosts[2]]["health"] == "up", "the new one is up")
    s.equal(served(), {hosts[0], hosts[2], hosts[3]}, "who serves")
    s.check(all(client.echoes(sock) for sock, _ in held),
            "every flow goes on, also those at the address that is gone")
    n = sum(text != hosts[3] for _, text in held)
    s.until(lambda: len(b.ctl("flows", "server=named")["flows"]) == n,
            "flows of the name, also where it does not point any more")

    s.say("-- what was set for all of them holds for the next")
    b.ctl("weight", "o", "named", "reset")
    b.ctl("drain", "o", "named")
    follows(hosts[0], hosts[1], hosts[2])
    s.equal(rows()[hosts[1]]["admin"], "drain", "state of the one that came")
    s.equal(served(), {hosts[3]}, "who serves")
    b.ctl("ready", "o", "named")
    s.equal(served(), {*hosts}, "all again")

    s.say("-- many changes: the plans before go")
    for i in range(4):
        follows(hosts[i % 3])
        s.check(all(client.echoes(sock) for sock, _ in held), "flows go on")
    s.equal(served(), {hosts[0], hosts[3]}, "who serves at the end")
    for host in hosts[1:3]:  # accepted after the last checks
        with client.connect(origins[host].address) as sock:
            client.read_exactly(sock, 9)
    n = [origins[h].accepted for h in hosts[1:3]]
    served()
    s.equal([origins[h].accepted for h in hosts[1:3]], n,
            "connections to addresses that are gone")
    s.equal(b.status()["config"]["reloads"], 0, "reloads")
    m = b.metrics()
    s.check(m.value("braid_config_name_changes_total") >= 6,
            "braid_config_name_changes_total")
    s.equal(m.value("braid_server_addresses", pool="o", server="named"), 1,
            "braid_server_addresses")
    s.equal(b.server("p", "x")["address"], f"{hosts[3]}:{server_port}",
            "the other pool's server")
    for sock, _ in held:
        sock.close()
    b.idle()
    s.equal(sum(r["connections"] for r in rows().values()), 0,
            "connections at the end")
    b.stop()


scenario.run(test)
