#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.s_client import shake
from lib.servers import Nginx, curl

# What the client offers, what is agreed on: our order counts.
OFFERS = (
    ("http/1.1,h2", "h2"),
    ("h2,http/1.1", "h2"),
    ("http/1.1", "http/1.1"),
    ("foo,http/1.1", "http/1.1"),
    ("foo,bar", None),
    ("h2c", None),
    (None, None),
)


def test(s):
    """ALPN: ours in our order; with nothing in common, or without an offer,
    the connection goes on without a protocol, as it does where the listener
    has none. curl agrees."""
    s.need("curl")
    authority = Authority(s)
    cert, key = authority.issue("www", "DNS:www.example.com")
    origin = Nginx(s)
    web, plain = s.port(), s.port()
    certificates = {"certificates": [{"cert": cert, "key": key}]}
    b = Braid(s, {
        "listeners": {
            "web": {"bind": f"127.0.0.1:{web}", "pool": "o",
                    "tls": {**certificates, "alpn": ["h2", "http/1.1"]}},
            "plain": {"bind": f"127.0.0.1:{plain}", "pool": "o",
                      "tls": certificates}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}}})
    wanted = []
    for version, text in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        for offer, want in OFFERS:
            done = shake(web, version, *(("-alpn", offer) if offer else ()))
            s.equal((done.served, done.alpn), (True, want),
                    f"{text}, offered {offer}: served, agreed on")
            wanted.append((text, want))
            flows = b.wait_flows(len(wanted), listener="web")
    s.equal([(f["tls"], f.get("alpn")) for f in flows], wanted,
            "versions and protocols in the access log")
    done = shake(plain, "-alpn", "h2,http/1.1")
    s.equal((done.served, done.alpn), (True, None), "a listener without")

    done = curl(f"https://www.example.com:{web}/name", "--http1.1", "--cacert",
                authority.cert, "--resolve",
                f"www.example.com:{web}:127.0.0.1", "-v")
    s.equal(done.stdout, "nginx", "curl, its answer")
    s.check("server accepted http/1.1" in done.stderr, "curl's protocol")
    m = b.metrics()
    s.equal(m.total("braid_tls_client_failures_total"),
            m.total("braid_tls_client_failures_total", cause="truncated"),
            "no handshake failed")
    b.stop()


scenario.run(test)
