#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout 300
import base64
import json
import os

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid
from lib.netns import Namespace
from lib.scenario import NAMELESS

ROOT, ONE, TWO = "192.0.2.1", "192.0.2.53", "198.51.100.53"
ZONE = "zm.example"
SERVERS = [f"{ZONE}. NS ns1.{ZONE}.", f"{ZONE}. NS ns2.{ZONE}.",
           f"ns1.{ZONE}. A {ONE}", f"ns2.{ZONE}. A {TWO}"]
TOP = ["@ SOA a.root. h.root. 1 7200 3600 1209600 3600", "@ NS a.root.",
       f"a.root. A {ROOT}", *SERVERS,
       f"53.2.0.192.in-addr.arpa. PTR ns1.{ZONE}.",
       f"53.100.51.198.in-addr.arpa. PTR ns2.{ZONE}."]
RECORDS = ["@ 86400 SOA ns1 hostmaster 2026010101 14400 3600 1209600 3600",
           *SERVERS, "@ MX 10 mail", "mail A 192.0.2.25",
           "www A 192.0.2.1"]
# Documentation addresses are nobody's.
EXPECTED = {"NAMESERVER_IP_PRIVATE_NETWORK"}


def write_key(s):
    key = s.path("zone.key")
    s.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
           "ec_paramgen_curve:P-256", "-out", key])
    os.chmod(key, 0o600)
    os.chown(key, NAMELESS, NAMELESS)
    return key


def parent_ds(s, space):
    """The zone's DS as zonemaster-cli wants it."""
    key = space.inside(lambda: ask((ONE, 53), ZONE, "DNSKEY", dnssec=True)
                       ).data("DNSKEY")[0]
    path = s.write("dnskey", f"{ZONE}. 3600 IN DNSKEY 257 3 13 "
                   f"{base64.b64encode(key[4:]).decode()}\n")
    done = s.run(["dnssec-dsfromkey", "-2", "-f", path, ZONE])
    return ",".join(done.stdout.split()[3:7])


def told(s, space, hints, ds):
    """What zonemaster-cli says above INFO."""
    done = s.run(["nsenter", f"--net={space.path}", "zonemaster-cli",
                  "--json", "--raw", "--level", "INFO", "--no-ipv6",
                  "--hints", hints, "--ns", f"ns1.{ZONE}/{ONE}",
                  "--ns", f"ns2.{ZONE}/{TWO}", "--ds", ds, ZONE],
                 seconds=240, check=False)
    results = json.loads(done.stdout)
    return results["results"] if isinstance(results, dict) else results


def test(s):
    """zonemaster-cli finds nothing wrong with a signed zone."""
    s.need_root()
    s.need("zonemaster-cli", "dnssec-dsfromkey", "openssl")
    space = Namespace(s)
    for address in (ROOT, ONE, TWO):
        space.add_address(f"{address}/32")
    hints = s.write("root.hints",
                    f". 3600000 NS a.root.\na.root. 3600000 A {ROOT}\n")
    root, b = (Braid(s, {"dns": {
        "bind": [f"{address}:53" for address in addresses], "zones": zones}},
        namespace=space, ambient="net_bind_service", name=name)
        for name, addresses, zones in (
            ("root", [ROOT], {".": {"records": TOP}}),
            ("braidd", [ONE, TWO], {ZONE: {
                "records": RECORDS, "dnssec": {"key": write_key(s)}}})))
    ds = parent_ds(s, space)
    said = told(s, space, hints, ds)
    for one in said:
        if one["level"] != "INFO":
            s.say(f"{one['level']} {one['testcase']} {one['tag']}")
    tags = {one["tag"] for one in said}
    s.check({"SOA_SERIAL", "DS10_HAS_NSEC", "QNAME_CASE_SENSITIVE"} <= tags,
            f"{len(said)} messages, also of its tests of what is there")
    s.equal({one["tag"] for one in said
             if one["level"] in ("WARNING", "ERROR", "CRITICAL")} - EXPECTED,
            set(), "tags of warnings and errors")
    b.stop()
    root.stop()


scenario.run(test)
