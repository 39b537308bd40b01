#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.origins import Origin, name

RECORDS = ["@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
           "ns1 A 192.0.2.53"]


def test(s):
    """Two keys that the user braidd becomes may not read: the start names
    both, not the first alone. The signing key is needed again each week, when
    nobody waits for an answer: so the log says why, and not only that there
    was an error."""
    s.need_root()
    cert, tls_key = Authority(s, "ours").issue("www", "DNS:www.example.com")
    dns_key = s.path("signing.key")
    s.run([os.path.join(s.bin, "braidctl"), "dns", "key", "cdn.example",
           dns_key])
    origin = Origin(s, name("HTTP/1.1 200 OK\r\n\r\n"))
    os.chmod(tls_key, 0o600)
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{s.port()}", "pool": "o",
                              "tls": {"certificates": [
                                  {"cert": cert, "key": tls_key}]}}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
        "dns": {"bind": f"127.0.0.1:{s.port()}", "zones": {
            "cdn.example": {"records": RECORDS,
                            "dnssec": {"key": dns_key}}}}})
    for key in (tls_key, dns_key):
        s.until(lambda key=key: f"user nobody cannot read {key}:" in
                b.process.output(), f"the start names {key}")
    answer = b.ctl_answer("dns", "reload", "cdn.example")
    s.equal(answer["exit"], 78, "the zone cannot be signed")
    why = f"the key file {dns_key} cannot be read: Permission denied"
    s.until(lambda: why in b.process.output(), "the log says why")
    os.chmod(dns_key, 0o644)
    s.equal(b.ctl_answer("dns", "reload", "cdn.example")["exit"], 0,
            "and signed when the key is there")
    b.stop()


scenario.run(test, user="root")
