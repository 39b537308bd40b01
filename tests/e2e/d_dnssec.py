#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import base64
import os
import re

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.process import Failure
from lib.scenario import NAMELESS

POPS = ["pop1", "pop2", "pop3"]
RECORDS = ["@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
           "ns1 A 192.0.2.53", "www A 192.0.2.1", "alias CNAME www",
           "*.w TXT hello", "*.t CNAME top", "sub NS ns.sub", "ns.sub A 192.0.2.7",
           "a.b.c A 192.0.2.8", "old DNAME new", "x.new A 192.0.2.9"]
# What each question is to get, validated.
STATIC = {"www A": "192.0.2.1", "alias A": "192.0.2.1",
          "any.thing.w TXT": "hello", "x.old A": "192.0.2.9",
          "@ SOA": "hostmaster", "@ CDS": "13 2", "@ CDNSKEY": "257 3 13",
          "nothing A": r"NXDOMAIN", "www MX": r"NXRRSET",
          "b.c A": r"NXRRSET", "shop--pop1 A": "192.0.2.10",
          "_x._tcp SRV": "5222"}
# And of what resources may answer, how many different ones there are.
CHOICES = {"shop A": 3, "top HTTPS": 6, "top A": 3, "many A": 3}
# At least so many ask, and more until each different answer was seen: who gets
# which changes with the time.
CLIENTS, CLIENTS_MAX = 40, 250


def delv(s, port, anchor, question, source):
    name, kind = question.split()
    name = "cdn.example" if name == "@" else f"{name}.cdn.example"
    done = s.run(["delv", "@127.0.0.1", "-p", port, "-b", source,
                  "-a", anchor, "+root=cdn.example", name, kind], check=False)
    return done.stdout + done.stderr


def answers(output):
    """The records but for their signatures, without TTLs."""
    return tuple(re.findall(r"\tIN\t((?:CNAME|HTTPS|A)\t.*)", output))


def whole_or_cut(s, server, name, kind):
    """Into each size the answer fits with all its signatures and proofs, or
    there is nothing and TC."""
    whole = ask(server, name, kind, tcp=True, dnssec=True)
    cut = set()
    for size in range(512, 1233):
        answer = ask(server, name, kind, edns=size, dnssec=True)
        got = [len(answer.answer), len(answer.authority)]
        want = [0, 0] if answer.tc else [len(whole.answer),
                                         len(whole.authority)]
        if got != want or len(answer.bytes) > size:
            raise Failure(f"{name} {kind} into {size} bytes: TC {answer.tc}, "
                          f"{got}, {len(answer.bytes)} bytes")
        cut.add(answer.tc)
    s.equal(cut, {True, False}, f"{name} {kind}: whole or cut, by size")


def test(s):
    """A validator accepts all that a signed zone says: data, aliases,
    wildcards, absences, and each answer that a resource may give."""
    s.need("delv", "openssl")
    port = s.port()
    key = s.path("zone.key")
    s.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
           "ec_paramgen_curve:P-256", "-out", key])
    os.chmod(key, 0o600)
    if s.is_root:
        os.chown(key, NAMELESS, NAMELESS)
    b = Braid(s, {
        "dns": {"bind": f"127.0.0.1:{port}", "zones": {"cdn.example": {
            "dnssec": {"key": key}, "records": RECORDS,
            "resources": {
                "shop": {"pops": POPS},
                "top": {"mode": "rank", "pops": POPS, "n": 3, "alpn": "h2"},
                "many": {"mode": "addrs", "pops": POPS, "n": 2},
                "_x._tcp": {"mode": "srv", "pops": POPS, "port": 5222}}}}},
        "pops": {f"pop{i}": {"addresses": [f"192.0.2.{i}0"]}
                 for i in (1, 2, 3)}})
    data = ask(("127.0.0.1", port), "cdn.example", "DNSKEY",
               dnssec=True).data("DNSKEY")[0]
    anchor = s.write("anchor.conf", (
        'trust-anchors { "cdn.example" static-key 257 3 13 "%s"; };\n'
        % base64.b64encode(data[4:]).decode()))
    for question, want in STATIC.items():
        output = delv(s, port, anchor, question, "127.0.0.1")
        s.check("fully validated" in output and re.search(want, output),
                f"{question}: validated, {want}")
    for question, n in CHOICES.items():
        seen = set()
        for i in range(CLIENTS_MAX):
            if i >= CLIENTS and len(seen) >= n:
                break
            output = delv(s, port, anchor, question, f"127.1.{i + 1}.9")
            if "fully validated" not in output:
                s.check(False, f"{question} from client {i}:\n{output}")
            seen.add(answers(output))
        s.equal(len(seen), n, f"{question}: different answers, all validated")
    # By a wildcard, whose proof is the last that has to fit.
    whole_or_cut(s, ("127.0.0.1", port), "x.t.cdn.example", "HTTPS")
    b.stop()


scenario.run(test)
