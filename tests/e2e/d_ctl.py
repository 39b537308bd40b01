#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import json
import os
import stat

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid, sanitizer_env
from lib.process import run as run_program

ZONE = """\
$TTL 600
@    SOA ns1 hostmaster {serial} 3600 600 86400 60
     NS  ns1
ns1  A   192.0.2.53
www  A   192.0.2.1
alias CNAME www
mail MX 10 www
*.w  TXT "made by a wildcard"
sub  NS ns.sub
ns.sub A 192.0.2.99
"""


def config(port, zone):
    return {
        "dns": {"bind": f"127.0.0.1:{port}", "zones": {
            "example.org": {"file": zone},
            "cdn.example": {
                "records": ["@ SOA ns1 hostmaster 4 3600 600 86400 60",
                            "@ NS ns1", "ns1 A 192.0.2.53",
                            "alias CNAME shop"],
                "resources": {"shop": {"pops": ["near", "far"],
                                       "weights": {"near": 3, "far": 1}}}}}},
        "pops": {"near": {"addresses": ["192.0.2.10", "2001:db8::10"]},
                 "far": {"addresses": ["192.0.2.20", "2001:db8::20"]}},
        "regions": {"home": {"prefixes": ["10.0.0.0/8"]}}}


def zones(s, b):
    rows = {row["zone"]: row for row in b.ctl("dns")["zones"]}
    s.equal(sorted(rows), ["cdn.example.", "example.org."], "zones")
    row = rows["example.org."]
    s.equal((row["serial"], row["resources"], row["signed"]), (7, 0, False),
            "what is said of a zone of a file")
    s.check(row["file"].endswith("example.zone") and row["bytes"] > 0 and
            row["names"] == 9 and row["loaded_since_seconds"] >= 0,
            "its file, size and age")
    row = rows["cdn.example."]
    s.equal((row["serial"], row["resources"], row["file"]), (4, 1, None),
            "and of one of the configuration")
    text = b.braidctl("dns").stdout
    s.check("ZONE" in text and "example.org." in text, "the table")
    whole = json.loads(b.braidctl("-o", "json", "dns").stdout)
    s.equal(whole["exit"], 0, "-o json")


def explain(s, b, server):
    def of(*arguments):
        return b.ctl("dns", "explain", *arguments)
    a = of("www.example.org")
    s.equal((a["zone"], a["rcode"], a["kind"], a["decision"], a["answer"]),
            ("example.org.", "noerror", "data", None,
             ["www.example.org. 600 IN A 192.0.2.1"]), "a plain name")
    a = of("mail.example.org", "mx")
    s.equal(a["answer"], ["mail.example.org. 600 IN MX 10 www.example.org."],
            "names in full")
    s.equal(of("example.org", "SOA")["answer"],
            ["example.org. 600 IN SOA ns1.example.org. "
             "hostmaster.example.org. 7 3600 600 86400 60"], "a SOA")
    a = of("a.w.example.org", "TXT")
    s.equal((a["wildcard"], a["answer"]),
            (True, ['a.w.example.org. 600 IN TXT "made by a wildcard"']),
            "a wildcard")
    a = of("x.sub.example.org")
    s.equal((a["kind"], a["authority"], a["additional"]),
            ("referral", ["sub.example.org. 600 IN NS ns.sub.example.org."],
             ["ns.sub.example.org. 600 IN A 192.0.2.99"]), "a referral")
    a = of("nothing.example.org")
    s.equal((a["rcode"], a["kind"], len(a["authority"])),
            ("nxdomain", "nxdomain", 1), "no such name")
    a = of("example.com")
    s.equal((a["zone"], a["rcode"]), (None, "refused"), "not ours")

    for client in ("10.1.2.0/24", "10.77.0.0/24", "203.0.113.0/24"):
        a = of("shop.cdn.example", "AAAA", "--from", client)
        sent = ask(server, "shop.cdn.example", "AAAA", ecs=client)
        d = a["decision"]
        first = next(p for p in d["pops"] if p["place"] == 1)
        s.equal((a["answer"][0].split()[-1], d["scope_bits"], d["ttl_s"]),
                (sent.data("CNAME")[0], sent.scope, sent.answer[0].ttl),
                f"{client}: what it explains is what is sent")
        s.equal(f"shop--{first['name']}.cdn.example.",
                sent.data("CNAME")[0], f"{client}: the POP in first place")
        s.equal(d["region"], "home" if client[:3] == "10." else None,
                f"{client}: its region")
        s.equal([p["share_percent"] for p in d["pops"]], [75.0, 25.0],
                f"{client}: shares")
    a = of("shop.cdn.example", "--from", "192.0.2.77")
    s.equal((a["decision"]["client"], a["decision"]["client_subnet"],
             len(a["answer"])), ("192.0.2.77", False, 2),
            "an address asks itself, and gets the alias and what it means")
    s.check(of("alias.cdn.example")["decision"]["resource"] ==
            "shop.cdn.example.", "an alias of a resource")
    text = b.braidctl("dns", "explain", "shop.cdn.example", "--from",
                      "10.1.2.0/24").stdout
    s.check("region    home" in text and "; answer" in text and
            "IN CNAME" in text, "the same for people")


def stats(s, b, server):
    def now():
        return b.ctl("dns", "stats")
    before = now()
    for _ in range(3):
        ask(server, "www.example.org")
    ask(server, "nothing.example.org", "AAAA", tcp=True)
    s.until(lambda: not now()["sockets"]["tcp_open"], "it is closed")
    after = now()
    s.equal([after["types"][t] - before["types"][t] for t in ("a", "aaaa")],
            [3, 1], "queries by type; explain counts none")
    s.equal([after["rcodes"][r] - before["rcodes"][r]
             for r in ("noerror", "nxdomain")], [3, 1], "by RCODE")
    s.equal(after["sockets"]["tcp_queries"] -
            before["sockets"]["tcp_queries"], 1, "over TCP")
    s.equal(sum(row["answers"] for row in after["resources"]), 3,
            "answers of the resource")
    s.equal(b.status()["dns"], {
        "zones": 2, "addresses": 1, "tcp_connections": 0,
        "queries": after["answers"]["queries_udp"] +
        after["answers"]["queries_tcp"]}, "in the status")
    s.check("2 zones, " in b.braidctl("status").stdout and "queries/s" in
            b.braidctl("top", "-n", "1").stdout, "for people, and in top")
    s.check("rcodes" in b.braidctl("dns", "stats").stdout, "for people")
    s.equal(b.ctl("dns")["queries"], b.status()["dns"]["queries"],
            "beside the zones")
    s.until(lambda: ask(server, "www.example.org") and
            b.ctl("dns")["queries_per_second"] > 0, "and how many a second")
    s.check("queries so far, " in b.braidctl("dns").stdout, "for people")


def dump(s, b):
    d = b.ctl("dns", "dump", "EXAMPLE.org.")
    s.equal((d["zone"], d["serial"], len(d["records"])),
            ("example.org.", 7, 9), "all records of a zone")
    s.check(d["records"][0].startswith("example.org. 600 IN SOA "),
            "the SOA is the first")
    d = b.ctl("dns", "dump", "cdn.example")
    s.check(d["resources"] == ["shop"] and
            "shop--far.cdn.example. 300 IN A 192.0.2.20" in d["records"],
            "targets are records, the resource is named")
    file = s.write("dumped.zone", b.braidctl("dns", "dump",
                                              "example.org").stdout)
    b.write_config(config(b.dns_port, file))
    b.reload()
    s.equal(len(b.ctl("dns", "dump", "example.org")["records"]), 9,
            "what is dumped can be loaded")


def errors(s, b):
    for code, *arguments in (
            (64, "what"), (64, "explain"), (64, "explain", "a..b"),
            (64, "explain", "a.example.org", "NOTYPE"),
            (64, "explain", "a.example.org", "A", "MX"),
            (64, "explain", "a.example.org", "--from"),
            (64, "explain", "a.example.org", "--from", "nobody"),
            (64, "explain", "a.example.org", "--from", "10.0.0.1/24/2"),
            (64, "explain", "a.example.org", "--from", "::1", "A"),
            (64, "stats", "more"), (64, "reload"), (64, "dump"),
            (66, "reload", "example.net"), (66, "dump", "w.example.org"),
            (64, "dump", "a" * 64)):
        answer = b.ctl_answer("dns", *arguments)
        s.equal(answer["exit"], code, f"dns {' '.join(arguments)[:40]}: "
                f"{answer['error'][:60]}")
    said = b.braidctl("dns", "nonsense", check=False).stderr
    s.check("usage: " in said and all(f"{word} " in said for word in (
        "explain", "reload", "dump", "key")), "all subcommands are named")
    s.equal(b.braidctl("dns", "dump", "example.net", check=False).returncode,
            66, "and as an exit status")


def key(s, b):
    file = s.path("zone.key")
    made = b.braidctl("dns", "key", "example.org", file)
    s.check(made.stdout.startswith("example.org. 86400 IN DS "), "a DS record")
    s.equal(stat.S_IMODE(os.stat(file).st_mode), 0o600, "mode of the key")
    with open(file, "rb") as f:
        before = f.read()
    again = b.braidctl("dns", "key", "example.org", file, check=False)
    with open(file, "rb") as f:
        s.check(again.returncode == 1 and file in again.stderr and
                f.read() == before, "a key is never overwritten")
    data = json.loads(b.braidctl("-o", "json", "dns", "key", "example.org",
                                 s.path("second.key")).stdout)["data"]
    s.check(data["zone"] == "example.org." and " IN DS " in data["ds"],
            "the same as JSON")
    for arguments in (("example.org",), ("a..b", s.path("other"))):
        s.equal(b.braidctl("dns", "key", *arguments, check=False).returncode,
                64, f"key {arguments[0]}")


def check(s, b):
    done = run_program([os.path.join(s.bin, "braidd"), "-c", "-f", b.file],
                       env=sanitizer_env())
    s.check("dns: 2 zones, 17 records, 1 resource, 2 POPs\n" in done.stdout and
            "no listeners" in done.stdout, "braidd -c counts them")


def test(s):
    """Every subcommand of `braidctl dns`: what it says, and its errors; and
    what `braidd -c` says of zones."""
    port = s.port()
    zone = s.write("example.zone", ZONE.format(serial=7))
    b = Braid(s, config(port, zone))
    b.dns_port = port
    check(s, b)
    zones(s, b)
    explain(s, b, ("127.0.0.1", port))
    stats(s, b, ("127.0.0.1", port))
    errors(s, b)
    key(s, b)
    dump(s, b)
    b.stop()


scenario.run(test)
