#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, proxies, scenario
from lib.braidd import Braid

FRONT = """
	server {{
		listen 127.0.0.1:{port};
		listen [::1]:{port};
		proxy_pass {to};
		proxy_protocol on;
	}}"""
# What the address of the connection becomes by the header; and the header.
HTTP = """
	server {{
		set_real_ip_from 127.0.0.1;
		real_ip_header proxy_protocol;
		listen 127.0.0.1:{port} proxy_protocol;
		location / {{ return 200 "src=$remote_addr:$remote_port \
dst=$proxy_protocol_server_addr:$proxy_protocol_server_port"; }}
	}}"""
STREAM = """
	server {{
		set_real_ip_from 127.0.0.1;
		listen 127.0.0.1:{port} proxy_protocol;
		return "src=$remote_addr:$remote_port \
dst=$proxy_protocol_server_addr:$proxy_protocol_server_port";
	}}"""


def test(s):
    """nginx before Braid (v1) and behind it (v1 and v2, stream and http with
    real_ip): the server sees the first client, also through both proxies."""
    names = [(version, kind) for version in ("v1", "v2")
             for kind in ("http", "stream")]
    back = {n: s.port() for n in names}  # of nginx behind Braid
    direct = {n: s.port() for n in names}  # of Braid, for clients
    behind = {n: s.port() for n in names}  # of Braid, for nginx
    front = {n: s.port() for n in names}  # of nginx before Braid
    listeners, pools = {}, {}
    for n in names:
        name = "-".join(n)
        listeners[name] = {"bind": [f"127.0.0.1:{direct[n]}",
                                    f"[::1]:{direct[n]}"], "pool": name}
        listeners["behind-" + name] = {
            "bind": f"127.0.0.1:{behind[n]}", "pool": name,
            "proxy_protocol": "accept", "proxy_from": "127.0.0.1"}
        pools[name] = {"proxy_protocol": n[0], "servers": {
            "a": {"address": f"127.0.0.1:{back[n]}"}}}
        if n[1] == "http":
            pools[name]["health"] = {"type": "http", "interval": "50ms"}
    proxies.Nginx(
        s, [*back.values(), *front.values()],
        stream="".join(STREAM.format(port=p) for n, p in back.items()
                       if n[1] == "stream") +
        "".join(FRONT.format(port=p, to=f"127.0.0.1:{behind[n]}")
                for n, p in front.items()),
        http="".join(HTTP.format(port=p) for n, p in back.items()
                     if n[1] == "http"))
    b = Braid(s, {"listeners": listeners, "pools": pools})
    for version in ("v1", "v2"):
        s.until(lambda: b.server(f"{version}-http", "a")["checks"] >= 3 and
                b.server(f"{version}-http", "a")["health"] == "up",
                f"{version}: health checks by http")

    def asked(kind, address):
        with client.connect(address) as sock:
            want = dict(zip(("src", "dst"), proxies.ends(sock)))
            if kind == "http":
                return proxies.told(sock), want
            return proxies.told_by_stream(sock), want

    for n in names:
        for host in ("127.0.0.1", "::1"):
            seen, want = asked(n[1], (host, direct[n]))
            s.equal(seen, want, f"{n}: what nginx sees of {host}")
            seen, want = asked(n[1], (host, front[n]))
            s.equal(seen, want, f"{n}: behind nginx and Braid")
            source = want["src"] if host == "127.0.0.1" else \
                "[::1]:" + want["src"].rsplit(":", 1)[1]
            # Connections to other ports may come from the same one.
            flow = b.wait_flows(1, client=source,
                                listener="behind-" + "-".join(n))[0]
            s.equal((flow["end"], flow["proxy"].rsplit(":", 1)[0]),
                    ("--", "127.0.0.1"), "its end and proxy")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
