#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import ssl

from lib import client, proxies, scenario
from lib.braidd import Braid
from lib.certificates import Authority

NAME = "www.example.com"
FRONT = """
frontend front_{name}
	bind {binds}
	unique-id-format {name}-%ci-%cp
	default_backend to_{name}
backend to_{name}
	server braid {to} {options}
"""
# Options of HAProxy's `server`; whether it says a unique id.
KINDS = {
    "v1": ("send-proxy check inter 500ms", False),
    "v2": ("send-proxy-v2 check inter 500ms", False),
    "crc": ("send-proxy-v2 proxy-v2-options crc32c,unique-id", True),
    "ssl": ("send-proxy-v2-ssl-cn proxy-v2-options authority,crc32c,"
            "unique-id,ssl,cert-cn,ssl-cipher,cert-key,cert-sig", True),
}


def test(s):
    """HAProxy before Braid, in every form of the PROXY protocol that it
    speaks: clients of IPv4, IPv6 and a unix socket, TLVs, health checks; the
    server behind Braid, HAProxy too, hears of the first client and of what
    the TLVs said."""
    authority = Authority(s)
    cert, key = authority.issue("www", f"DNS:{NAME}")
    pem = s.write("www.both", open(cert).read() + open(key).read())
    back = s.port()
    ports = {name: s.port() for name in KINDS}
    path = s.make_folder("sockets", scenario.NAMELESS) + "/"
    b = Braid(s, {
        # HAProxy connects to 127.0.0.1 and ::1.
        "listeners": {"web": {"bind": ["127.0.0.1:%d" % (bp := s.port()),
                                       f"[::1]:{bp}"], "pool": "o",
                              "proxy_protocol": "accept",
                              "proxy_from": ["127.0.0.1", "::1"]}},
        "pools": {"o": {"proxy_protocol": "v2", "servers": {
            "a": {"address": f"127.0.0.1:{back}"}}}},
    })
    sections = proxies.tells(f"127.0.0.1:{back}")
    for name, (options, _) in KINDS.items():
        tls = f" ssl crt {pem} ca-file {authority.cert} verify optional" \
            if name == "ssl" else ""
        sections += FRONT.format(
            name=name, options=options,
            to=f"127.0.0.1:{bp}" if name != "crc" else f"[::1]:{bp}",
            binds=f"127.0.0.1:{ports[name]}{tls}\n"
                  f"\tbind [::1]:{ports[name]}{tls}\n"
                  f"\tbind unix@{path}{name} mode 666{tls}")
    haproxy = proxies.Haproxy(s, sections, [back, *ports.values()])

    context = ssl.create_default_context(cafile=authority.cert)

    def opened(name, address):
        sock = client.connect(address)
        return context.wrap_socket(sock, server_hostname=NAME) \
            if name == "ssl" else sock

    def line(source):
        s.until(lambda: b.flows(client=source), f"the line of {source}")
        return b.flows(client=source)[-1]

    for name, (_, has_id) in KINDS.items():
        for host in ("127.0.0.1", "::1"):
            with opened(name, (host, ports[name])) as sock:
                source, to = proxies.ends(sock)
                seen = proxies.told(sock)
            unique = f"{name}-{source.rsplit(':', 1)[0]}-" \
                     f"{source.rsplit(':', 1)[1]}" if has_id else ""
            named = NAME if name == "ssl" else ""
            s.equal(seen, {"src": source, "dst": to, "authority": named,
                           "id": unique}, f"{name}: what the server sees")
            flow = line(source if host == "127.0.0.1" else
                        "[%s]:%s" % tuple(source.rsplit(":", 1)))
            s.equal((flow["end"], flow["proxy"].rsplit(":", 1)[0],
                     flow.get("sni", "")),
                    ("--", "[::1]" if name == "crc" else "127.0.0.1", named),
                    "its line: end, proxy and name")
        with opened(name, path + name) as sock:
            seen = proxies.told(sock)
        s.check(seen["src"].startswith(
            "::1:" if name == "crc" else "127.0.0.1:"),
            f"{name}: a client of a unix socket is nobody: {seen}")
    s.until(lambda: b.status()["flows"]["started"] > 3 * len(KINDS),
            "HAProxy's health checks came, too")
    s.check("DOWN" not in haproxy.process.output(), "and were content")
    # A check that is reset before it is accepted has no address; it is not
    # taken for somebody who may not send headers.
    s.equal([f for f in b.flows() if f["end"][0] == "P"], [],
            "connections that were refused")
    m = b.metrics()
    s.equal([m.value("braid_worker_proxy_untrusted_total", worker=str(w))
             for w in range(2)], [0, 0], "braid_worker_proxy_untrusted_total")
    b.stop()


scenario.run(test, user="nobody")
