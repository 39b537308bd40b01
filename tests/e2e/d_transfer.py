#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import re

from lib import scenario
from lib.braidd import Braid
from lib.scenario import NAMELESS

SECRET = "c2l4dGVlbiBieXRlcyBhdCBsZWFzdCwgdGhpcyBpcyBtb3Jl"
OTHER = "b3RoZXIgYnl0ZXMgb2YgdGhlIHNhbWUgbGVuZ3RoLCBub3RoaW5n"
SOA = "@ SOA ns1 hostmaster 5 3600 600 86400 60"
NAMES = 3000  # more than one message


def test(s):
    """A zone goes as a whole to those who may have it: by address, and signed
    with the key where there is one; the others are refused."""
    s.need("dig")
    port = s.port()

    def write_secret(text):
        path = s.write("transfer.key", text + "\n", 0o600)
        if s.is_root:
            os.chown(path, NAMELESS, NAMELESS)
        return path

    secret = write_secret(SECRET)
    big = s.write("big.zone", "$TTL 60\n" + "\n".join(
        [SOA, "@ NS ns1", "ns1 A 192.0.2.53",
         *(f"h{i} A 192.0.2.1" for i in range(NAMES))]) + "\n")
    pops = {"pop1": {"addresses": ["192.0.2.10"]},
            "pop2": {"addresses": ["192.0.2.20"]}}
    b = Braid(s, {
        "dns": {"bind": f"127.0.0.1:{port}", "zones": {
            "open.example": {"file": big, "transfer": {
                "allow": ["127.0.0.1/32"]}},
            "signed.example": {
                "records": [SOA, "@ NS ns1", "ns1 A 192.0.2.53"],
                "resources": {"shop": {"pops": ["pop1", "pop2"],
                                       "weights": {"pop1": 1, "pop2": 3}}},
                "transfer": {"allow": ["127.0.0.0/8"], "tsig": {
                    "name": "xfr.example", "file": secret}}},
            "closed.example": {
                "records": [SOA, "@ NS ns1", "ns1 A 192.0.2.53"]}}},
        "pops": pops})

    def axfr(zone, *more, source="127.0.0.1"):
        return s.run(["dig", "@127.0.0.1", "-p", port, "-b", source, "+tcp",
                      "+nocookie", "+time=60", *more, zone, "AXFR"],
                     check=False).stdout

    def records(text, kind):
        return re.findall(rf"^(\S+)\s+\d+\s+IN\s+{kind}\s+(.*)$", text, re.M)
    got = axfr("open.example")
    s.equal((len(records(got, "SOA")), len(records(got, "A"))),
            (2, NAMES + 1), "all of it, between two SOA")
    s.check(int(re.search(r"messages (\d+)", got).group(1)) > 1,
            "in several messages")
    s.check("; Transfer failed." in axfr("open.example", source="127.0.0.2"),
            "another address is refused")
    s.check("; Transfer failed." in axfr("closed.example"),
            "nobody has a zone that says nothing of it")
    key = f"hmac-sha256:xfr.example:{SECRET}"
    got = axfr("signed.example", "-y", key)
    s.equal(records(got, "CNAME"),
            [("shop.signed.example.", "shop--pop2.signed.example.")],
            "with the key; a resource goes as its heaviest choice")
    s.check("Couldn't verify signature" not in got and "TSIG" in got,
            "the answer is signed, too")
    s.check("; Transfer failed." in axfr("signed.example"),
            "without the key it is refused")
    s.check("; Transfer failed." in axfr(
        "signed.example", "-y", f"hmac-sha256:xfr.example:{OTHER}"),
            "and with another secret")
    s.check("nothing changed" in str(b.reload()), "a reload of the same")
    write_secret(OTHER)
    said = b.reload()
    s.check("zone's TSIG key changed (signed.example)" in str(said),
            f"a reload with that one says so ({said})")
    s.check("; Transfer failed." in axfr("signed.example", "-y", key),
            "the old one is refused")
    got = axfr("signed.example", "-y", f"hmac-sha256:xfr.example:{OTHER}")
    s.equal(len(records(got, "SOA")), 2, "the new one is taken")
    b.stop()


scenario.run(test)
