#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.ask import ask
from lib.braidd import Braid

ZONE = """\
$TTL 600
@    SOA ns1 hostmaster 7 3600 600 86400 60
     NS  ns1
ns1  A   192.0.2.53
www  A   192.0.2.1
     A   192.0.2.2
     AAAA 2001:db8::1
alias CNAME www
*.w  TXT "made by a wildcard"
a.b.c A 192.0.2.3
sub  NS ns.sub
ns.sub A 192.0.2.99
mail MX 10 www
old  DNAME new
x.new A 192.0.2.4
"""


def test(s):
    """A zone file is answered over UDP and TCP: data, aliases, wildcards,
    delegations, and both kinds of absence."""
    port = s.port()
    server = ("127.0.0.1", port)
    zone = s.write("example.zone", ZONE)
    b = Braid(s, {"dns": {"bind": f"127.0.0.1:{port}",
                          "zones": {"example.org": {
                              "file": zone,
                              "records": ["more A 192.0.2.9"]}}}})
    for tcp in (False, True):
        how = "TCP" if tcp else "UDP"

        def get(name, kind="A"):
            return ask(server, name, kind, tcp=tcp)

        a = get("www.example.org")
        s.equal((a.rcode, a.aa, sorted(a.data("A"))),
                ("NOERROR", True, ["192.0.2.1", "192.0.2.2"]),
                f"{how}: two addresses")
        s.equal(a.answer[0].ttl, 600, "TTL")
        s.equal(get("WwW.eXample.org").questions[0][0], "WwW.eXample.org.",
                "the question comes back as it was written")
        s.equal(get("more.example.org").data("A"), ["192.0.2.9"],
                "a record of the configuration")
        a = get("alias.example.org")
        s.equal((a.data("CNAME"), sorted(a.data("A"))),
                (["www.example.org."], ["192.0.2.1", "192.0.2.2"]),
                "an alias and what it stands for")
        s.equal(get("any.thing.w.example.org", "TXT").data("TXT"),
                ["made by a wildcard"], "a wildcard")
        a = get("b.c.example.org")
        s.equal((a.rcode, a.answer, a.authority[0].kind, a.authority[0].ttl),
                ("NOERROR", [], "SOA", 60), "an empty non-terminal")
        a = get("nothing.example.org")
        s.equal((a.rcode, a.authority[0].kind), ("NXDOMAIN", "SOA"),
                "no such name")
        a = get("host.sub.example.org")
        s.equal((a.aa, [r.data for r in a.authority],
                 [r.data for r in a.additional]),
                (False, ["ns.sub.example.org."], ["192.0.2.99"]),
                "a referral with glue")
        a = get("x.old.example.org")
        s.equal((a.data("DNAME"), a.data("CNAME"), a.data("A")),
                (["new.example.org."], ["x.new.example.org."],
                 ["192.0.2.4"]), "DNAME")
        s.equal(get("example.com").rcode, "REFUSED", "not ours")
    b.stop()


scenario.run(test)
