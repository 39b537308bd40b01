#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import threading

from lib import client, scenario
from lib.braidd import Braid
from lib.dns import Dns
from lib.origins import Origin, greeter


def test(s):
    """Reloads with names: what is known survives, new names are asked before
    the new configuration is in force, a refused one changes nothing."""
    dns, second = Dns(s), Dns(s)
    port, server_port = s.port(), s.port()
    for n in (2, 3):
        Origin(s, greeter(f"127.0.0.{n}"), (f"127.0.0.{n}", server_port))
    for server in (dns, second):
        server.ttl = 3600
        server.set("a.test", "A", "127.0.0.2")
        server.set("b.test", "A", "127.0.0.3")
    servers = {"a": {"address": f"a.test:{server_port}"}}
    config = {
        "global": {"resolvers": [dns.text],
                   "resolve": {"timeout": "10s"}},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"balance": "rr", "resolve": {"family": "ipv4"},
                        "servers": servers}},
    }
    b = Braid(s, config)

    def opened():
        sock = client.connect(("127.0.0.1", port))
        return sock, client.read_exactly(sock, 9).decode()

    def served(n=20):
        found = set()
        for _ in range(n):
            sock, text = opened()
            sock.close()
            found.add(text)
        return found

    def names():
        return {n["name"] for n in b.ctl("names")["names"]}

    s.until(lambda: b.server("o", "a")["address"] != "-" and b.adopted(),
            "the name is known")
    held = opened()[0]
    s.equal(dns.count("a.test", "A"), 1, "questions for a.test")
    number = b.status()["config"]["number"] + 1
    s.equal((b.reload(config)["number"], b.status()["config"]["reloads"]),
            (number, 1), "an unchanged file")

    s.say("-- a new name")
    servers["b"] = {"address": f"b.test:{server_port}"}
    answer = b.reload(config)
    s.equal(answer["summary"],
            f"1 server added (o/b/127.0.0.3:{server_port})", "the verdict")
    s.equal(served(), {"127.0.0.2", "127.0.0.3"}, "it serves at once")
    s.equal(dns.count("a.test", "A"), 1,
            "what was known is not asked for again")

    s.say("-- a refused file")
    servers["c"] = {"address": f"c.test:{server_port}"}
    config["listeners"]["bad"] = {"bind": "unix:/nonexistent/socket",
                                  "pool": "o"}
    b.write_config(config)
    s.equal(b.ctl_answer("reload")["exit"], 78, "exit code")
    s.until(lambda: names() == {"a.test", "b.test"},
            "its names are forgotten")
    s.equal(served(), {"127.0.0.2", "127.0.0.3"}, "who serves")
    del config["listeners"]["bad"]

    s.say("-- a new name while no resolver answers")
    dns.silent = True
    config["global"]["resolve"] = {"timeout": "200ms", "retries": 0}
    b.reload(config)
    s.equal(b.server("o", "c")["address"], "-", "it has no address")
    s.equal(served(), {"127.0.0.2", "127.0.0.3"}, "the others serve")

    s.say("-- control answers while a reload waits for a name")
    servers["d"] = {"address": f"d.test:{server_port}"}
    config["global"]["resolve"] = {"timeout": "60s", "retries": 0}
    b.write_config(config)
    verdict = []
    waiting = threading.Thread(
        target=lambda: verdict.append(b.ctl_answer("reload")))
    waiting.start()
    s.until(lambda: dns.count("d.test", "A") > 0, "it is asked for")
    s.equal(b.status()["state"], "serving", "meanwhile, state")
    s.check(client.echoes(held), "meanwhile, a flow")
    s.equal(served(), {"127.0.0.2", "127.0.0.3"}, "meanwhile, new ones")
    waiting.join()
    s.equal(verdict[0]["exit"], 0, "and it ends all the same")
    s.equal(b.server("o", "d")["address"], "-", "without the address")

    s.say("-- another resolver")
    second.set("c.test", "A", "127.0.0.2")
    second.set("b.test", "A", "127.0.0.2")
    config["global"]["resolvers"] = [second.text]
    b.reload(config)
    s.until(lambda: b.server("o", "c")["address"] != "-", "c has an address")
    s.until(lambda: b.server("o", "b")["address"] ==
            f"127.0.0.2:{server_port}" and b.adopted(),
            "b has the other address")
    s.equal(served(), {"127.0.0.2"}, "who serves")

    s.say("-- names are gone")
    servers.clear()
    servers["plain"] = {"address": f"127.0.0.3:{server_port}"}
    b.reload(config)
    s.until(lambda: names() == set(), "nothing is asked for")
    s.equal(served(), {"127.0.0.3"}, "who serves")
    s.check(client.echoes(held), "the first flow goes on")
    held.close()
    checked = s.run([b.readable("braidd"), "-c", "-f", b.file])
    s.check("has a name" not in checked.stdout, "braidd -c says nothing then")
    servers["e"] = {"address": "e.invalid:1"}
    b.write_config(config)
    checked = s.run([b.readable("braidd"), "-c", "-f", b.file])
    s.check("1 server has a name" in checked.stdout,
            "braidd -c does not ask and says so")
    b.stop()


scenario.run(test)
