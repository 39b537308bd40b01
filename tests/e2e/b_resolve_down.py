#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.dns import Dns, NXDOMAIN, SERVFAIL
from lib.origins import Origin, greeter

NAME = "origin.test"


def test(s):
    """Resolvers that fail, are silent or dead: what is known stays in use
    and is said once; braidd also starts without them."""
    dns = Dns(s)
    port, server_port = s.port(), s.port()
    for host in ("127.0.0.2", "127.0.0.3"):
        Origin(s, greeter(host), (host, server_port))
    dns.set(NAME, "A", "127.0.0.2")
    config = {
        "global": {"resolvers": [dns.text],
                   "resolve": {"timeout": "100ms", "retries": 0,
                               "hold": "0s"}},
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"resolve": {"family": "ipv4"}, "servers": {
            "a": {"address": f"{NAME}:{server_port}"}}}},
    }
    dns.silent = True
    b = Braid(s, config)
    s.equal(b.server("o", "a")["address"], "-",
            "started without a resolver, the server's address")
    b.wait_event("name not resolved", name=NAME, cause="timeout",
                 records_kept="0")
    s.equal(client.ask(("127.0.0.1", port)), (b"", client.RESET),
            "a connection then")

    def greets():
        sock = client.connect(("127.0.0.1", port))
        text = client.read_exactly(sock, 9).decode()
        sock.close()
        return text

    def count(causes):
        m = b.metrics()
        return sum(m.value("braid_resolver_answers_total", result=cause)
                   for cause in causes)

    def once():
        """Each failure, whatever begins it, is said once, and so is its
        end."""
        said = [line["msg"] for line in b.lines()
                if line["msg"].startswith(("name not resolved",
                                           "name resolved again"))]
        return said[::2] == ["name not resolved"] * len(said[::2]) and \
            said[1::2] == ["name resolved again"] * len(said[1::2])

    def name():
        return b.ctl("names")["names"][0]

    dns.silent = False
    s.until(lambda: b.server("o", "a")["address"] != "-", "it comes to live",
            40)
    s.equal(greets(), "127.0.0.2", "who serves")
    b.wait_event("name resolved again", name=NAME)

    def fails(causes, begin, end):
        """Two failures of that kind, of which one is said. By the version of
        c-ares it has this name or that."""
        before = count(causes)
        begin()
        s.until(lambda: count(causes) >= before + 2, f"{causes}, twice", 30)
        s.equal(greets(), "127.0.0.2", "what is known serves")
        s.equal(name()["records"], ["127.0.0.2"], "records kept")
        s.equal(name()["failing"], True, "it is shown as failing")
        s.check(b.events("name not resolved") and once(), "said once")
        recovered = len(b.events("name resolved again"))
        end()
        s.until(lambda: len(b.events("name resolved again")) > recovered,
                "it recovers", 40)
        s.check(once(), "also that it is over")
        s.equal(greets(), "127.0.0.2", "who serves")

    s.say("-- the resolver is dead")
    fails(["unanswered"], dns.down, dns.up)
    s.say("-- the resolver is silent")
    fails(["timeout"], lambda: setattr(dns, "silent", True),
          lambda: setattr(dns, "silent", False))
    s.say("-- the resolver fails")
    fails(["servfail", "unanswered"], lambda: setattr(dns, "rcode", SERVFAIL),
          lambda: setattr(dns, "rcode", None))

    s.say("-- it is back and has news")
    dns.down()
    s.until(lambda: name()["failing"], "failing", 30)
    dns.set(NAME, "A", "127.0.0.3")
    dns.up()
    s.until(lambda: b.server("o", "a")["address"].startswith("127.0.0.3"),
            "the new address", 40)
    s.until(b.adopted, "it is in force")
    s.equal(greets(), "127.0.0.3", "who serves")
    s.equal(len(b.events("server has no address")), 1,
            "times that the server had no address")

    s.say("-- who should know says that there is no such name")
    dns.rcode = NXDOMAIN
    s.until(lambda: b.server("o", "a")["address"] == "-",
            "without hold it is given up", 30)
    s.equal(b.metrics().value("braid_server_up", pool="o", server="a"), 0,
            "braid_server_up")
    b.stop()


scenario.run(test)
