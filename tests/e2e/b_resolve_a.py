#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import time

from lib import client, scenario
from lib.braidd import Braid
from lib.dns import Dns, Unbound
from lib.origins import Origin, greeter

NAME = "origin.test"


def test(s):
    """A server's address is a name, through a real resolver: each address is
    a server of its own, and admin commands mean one or all of them."""
    dns = Dns(s)
    port, server_port = s.port(), s.port()
    hosts = ["127.0.0.2", "127.0.0.3"]
    for host in hosts:
        Origin(s, greeter(host), (host, server_port))
    Origin(s, greeter("127.0.0.4"), ("127.0.0.4", server_port))
    dns.set("alias.test", "CNAME", NAME)
    dns.set(NAME, "A", *reversed(hosts))
    resolver = Unbound(s, dns)
    config = {
        "global": {"resolvers": [resolver.text],
                   "resolve": {"timeout": "10s"}},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {
            "balance": "rr", "health": {"interval": "100ms"},
            "servers": {
                "named": {"address": f"Alias.test:{server_port}"},
                "plain": {"address": f"127.0.0.4:{server_port}"},
                "nothing": {"address": f"nothing.test:{server_port}"}}}},
    }
    began = time.monotonic()
    b = Braid(s, config)
    took = time.monotonic() - began

    def rows():
        return {r["instance"]: r for r in b.ctl("servers")["servers"]}

    def instance(host):
        return f"named/{host}:{server_port}"

    def opened():
        sock = client.connect(("127.0.0.1", port))
        return sock, client.read_exactly(sock, 9).decode()

    def served(n=30):
        found = set()
        for _ in range(n):
            sock, text = opened()
            sock.close()
            found.add(text)
        return found

    first, want = rows(), {instance(h) for h in hosts} | {"plain", "nothing"}
    if set(first) != want:  # the scripted server was stopped for so long
        s.check(took >= 5 or any(e["name"].lower() == "alias.test" for e in
                                 b.events("name not resolved")),
                "it has waited for its names")
        s.until(lambda: set(rows()) == want and b.adopted(), "known at last")
        first = rows()
    s.equal(set(first), want, "servers, known before the first connection")
    s.equal({r["server"] for r in first.values()},
            {"named", "plain", "nothing"}, "their names")
    s.equal(first[instance(hosts[0])]["host"], "Alias.test", "its host")
    s.equal(first["plain"]["host"], None, "host of a plain server")
    s.equal((first["nothing"]["address"], first["nothing"]["health"],
             first["nothing"]["weight"]), ("-", "down", 0),
            "the one that is not resolved")
    b.wait_event("name not resolved", name="nothing.test", type="A",
                 cause="nxdomain")
    b.wait_event("server has no address", pool="o", server="nothing")
    s.equal(served(), {*hosts, "127.0.0.4"}, "who serves")
    for host in hosts:
        s.until(lambda: rows()[instance(host)]["health"] == "up",
                f"{host} is checked on its own")

    s.say("-- all addresses of a name, and one of them")
    answer = b.ctl("drain", "o", "named")
    s.equal(answer["instances"], 2, "instances drained")
    s.equal(served(), {"127.0.0.4"}, "none of the name serves")
    b.ctl("ready", "o", "named")
    b.ctl("drain", "o", instance(hosts[0]))
    s.equal(served(), {hosts[1], "127.0.0.4"}, "one of the name is out")
    b.ctl("weight", "o", "plain", 0)
    b.ctl("ready", "o", "named")
    b.idle()
    held = [opened() for _ in range(4)]
    flows = b.ctl("flows", "server=named")["flows"]
    s.equal({f["server"] for f in flows}, {instance(h) for h in hosts},
            "flows by the server's name")
    killed = b.ctl("kill", "--server", f"o/{instance(hosts[0])}")["killed"]
    s.equal(killed, sum(text == hosts[0] for _, text in held),
            "flows of one address killed")
    s.check(all(client.echoes(sock) for sock, text in held
                if text == hosts[1]), "the others stay")
    for sock, _ in held:
        sock.close()

    s.say("-- what is known about names")
    names = {(n["name"].lower(), n["type"]): n
             for n in b.ctl("names")["names"]}
    s.equal(sorted(names["alias.test", "A"]["records"]), sorted(hosts),
            "records of the alias")
    s.equal(names["alias.test", "AAAA"]["failing"], False,
            "no IPv6 address is no failure")
    s.equal(names["nothing.test", "A"]["result"], "nxdomain", "the other")
    s.check("nothing.test" in b.braidctl("names").stdout, "braidctl names")
    m = b.metrics()
    s.equal(m.value("braid_server_addresses", pool="o", server="named"), 2,
            "braid_server_addresses")
    s.check(m.value("braid_resolver_answers_total", result="answer") >= 1,
            "braid_resolver_answers_total")
    s.until(lambda: b.metrics().value("braid_names_failing") == 2,
            "braid_names_failing")

    s.say("-- it appears at last")
    dns.set("nothing.test", "A", "127.0.0.4")
    s.until(lambda: f"nothing/127.0.0.4:{server_port}" in rows(),
            "the missing name is found", 40)
    b.wait_event("server has an address again", server="nothing")
    s.check(b.status()["config"]["name_changes"] >= 1, "counted")
    s.equal(b.status()["config"]["reloads"], 0, "no reload was made")
    b.stop()


scenario.run(test)
