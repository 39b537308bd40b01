#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import proxies, scenario
from lib.braidd import Braid
from lib.certificates import Authority
from lib.s_client import shake
from lib.servers import curl

WWW, SHORT, OTHER = "www.example.com", "example.com", "other.example.net"
ROUTES = [
    {"source": "127.0.0.9", "sni": "*", "pool": "near"},
    {"sni": WWW, "alpn": "h2", "pool": "both"},
    {"sni": "*.example.com", "pool": "wild"},
    {"sni": WWW, "pool": "never"},  # the one before takes it
    {"sni": [SHORT, "Example.ORG"], "pool": "exact"},
    {"alpn": ["h3", "h2"], "pool": "alpn"},
    {"source": ["127.0.0.8", "127.0.0.9"], "pool": "near"},
]
POOLS = ("near", "both", "wild", "never", "exact", "alpn", "rest")
OFFERS_H2 = "http/1.1,h2"  # the order does not matter
# Source, name, ALPN; the pool and the number of the route.
FACTS = [
    ("127.0.0.1", WWW, None, "wild", "3"),
    ("127.0.0.1", WWW.upper(), None, "wild", "3"),
    ("127.0.0.1", WWW, OFFERS_H2, "both", "2"),
    ("127.0.0.1", f"a.b.{SHORT}", OFFERS_H2, "wild", "3"),
    ("127.0.0.1", SHORT, OFFERS_H2, "exact", "5"),
    ("127.0.0.1", "example.org", None, "exact", "5"),
    ("127.0.0.1", OTHER, OFFERS_H2, "alpn", "6"),
    ("127.0.0.1", OTHER, None, "rest", "default"),
    ("127.0.0.1", f"x{SHORT}", None, "rest", "default"),
    ("127.0.0.1", None, "http/1.1", "rest", "default"),
    ("127.0.0.1", None, OFFERS_H2, "alpn", "6"),
    ("127.0.0.9", WWW, OFFERS_H2, "near", "1"),
    ("127.0.0.9", None, None, "near", "7"),
    ("127.0.0.8", OTHER, None, "near", "7"),
    ("127.0.0.8", OTHER, OFFERS_H2, "alpn", "6"),
    ("127.0.0.8", SHORT, None, "exact", "5"),
]
SERVER = """
	server {{
		listen 127.0.0.1:{port} ssl;
		ssl_certificate {cert};
		ssl_certificate_key {key};
		location / {{ return 200 "{name}"; }}
	}}"""


def test(s):
    """Routes by name, wildcard, ALPN and source in the order of the file:
    clients of TLS that is passed through reach the origin, and see the
    certificate, of the first route that matches."""
    authority = Authority(s)
    names = ",".join(f"DNS:{n}" for n in (WWW, SHORT, OTHER))
    ports = {name: s.port() for name in POOLS}
    http = ""
    for name in POOLS:
        cert, key = authority.issue(name, names)
        http += SERVER.format(port=ports[name], cert=cert, key=key, name=name)
    proxies.Nginx(s, ports.values(), http=http)
    port = s.port()
    b = Braid(s, {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "rest",
                              "wait": "60s", "routes": ROUTES,
                              "timeout": {"first_bytes": "60s"}}},
        "pools": {name: {"servers": {
            "a": {"address": f"127.0.0.1:{ports[name]}"}}}
            for name in POOLS},
    })
    for n, (source, name, alpn, pool, route) in enumerate(FACTS):
        options = ["-bind", f"{source}:0", "-CAfile", authority.cert]
        options += ["-servername", name] if name else []
        options += ["-alpn", alpn] if alpn else []
        got = shake(port, *options)
        s.equal((got.served, got.subject), (True, pool),
                f"{source} {name} {alpn}: served by")
        flow = b.wait_flows(n + 1)[n]
        s.equal((flow["pool"], flow["route"], flow.get("sni")),
                (pool, route, name and name.lower()), "its line")
    n = len(FACTS)
    for source, name, options, pool in (
            ("127.0.0.1", WWW, ("--no-alpn",), "wild"),
            ("127.0.0.1", WWW, (), "both"),
            ("127.0.0.1", OTHER, ("--no-alpn", "--tls-max", "1.2"), "rest"),
            ("127.0.0.9", OTHER, ("--http1.1",), "near")):
        done = curl(f"https://{name}:{port}/", "--cacert", authority.cert,
                    "--resolve", f"{name}:{port}:127.0.0.1", "--interface",
                    source, *options)
        s.equal(done.stdout, pool, f"curl, {source} {name} {options}")
        n += 1
        s.equal(b.wait_flows(n)[-1]["pool"], pool, "its line")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
