#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import ssl

from lib import client, proxies, scenario
from lib.braidd import Braid
from lib.certificates import Authority

NAME = "www.example.com"


def test(s):
    """HAProxy behind Braid hears by v1 and v2 who the client is, over IPv4,
    IPv6, from a unix socket, through TLS; health checks say that they stand
    for nobody."""
    four, six = s.port(), s.port()
    proxies.Haproxy(s, proxies.tells(f"127.0.0.1:{four}", f"[::1]:{six}"),
                    [four])
    authority = Authority(s)
    pair = authority.issue("www", f"DNS:{NAME}")
    ports = {n: s.port() for n in ("v1", "v2", "tls")}
    path = s.make_folder("sockets", scenario.NOBODY) + "/web"
    certificate = {"cert": pair[0], "key": pair[1]}

    def pool(version, address):
        return {"proxy_protocol": version, "health": {
                    "type": "http", "path": "/", "interval": "50ms",
                    "timeout": "60s"},
                "servers": {"a": {"address": address}}}
    b = Braid(s, {
        "listeners": {
            "v1": {"bind": [f"127.0.0.1:{ports['v1']}",
                            f"[::1]:{ports['v1']}", f"unix:{path}1"],
                   "pool": "v1"},
            "v2": {"bind": [f"127.0.0.1:{ports['v2']}",
                            f"[::1]:{ports['v2']}", f"unix:{path}2"],
                   "pool": "v2"},
            "tls": {"bind": f"127.0.0.1:{ports['tls']}", "pool": "v2",
                    "tls": {"certificates": [certificate]}}},
        "pools": {"v1": pool("v1", f"127.0.0.1:{four}"),
                  "v2": pool("v2", f"[::1]:{six}")},
    }, user="root")
    s.until(lambda: all(b.server(v, "a")["health"] == "up" and
                        b.server(v, "a")["checks"] >= 3
                        for v in ("v1", "v2")),
            "health checks say who they are not, and are answered")

    for version in ("v1", "v2"):
        for host in ("127.0.0.1", "::1"):
            with client.connect((host, ports[version])) as sock:
                source, to = proxies.ends(sock)
                s.equal(proxies.told(sock),
                        {"src": source, "dst": to, "authority": "", "id": ""},
                        f"{version}: what HAProxy sees")
        # No address to say: the connection's own hold.
        with client.connect(f"{path}{version[1]}") as sock:
            seen = proxies.told(sock)
        want = {"v1": "127.0.0.1", "v2": "::1"}[version]
        s.equal((seen["src"].rsplit(":", 1)[0], seen["dst"]),
                (want, f"{want}:{four if version == 'v1' else six}"),
                f"{version}: a client of a unix socket")
        s.equal(len(b.wait_flows(1, listener=version, client="unix")), 1,
                "its line")

    context = ssl.create_default_context(cafile=authority.cert)
    with context.wrap_socket(client.connect(("127.0.0.1", ports["tls"])),
                             server_hostname=NAME) as sock:
        source, to = proxies.ends(sock)
        s.equal(proxies.told(sock),
                {"src": source, "dst": to, "authority": NAME, "id": ""},
                "v2: the name that the client asked for by TLS")
    s.equal({f["end"] for f in b.wait_flows(7)}, {"--"}, "how they ended")
    s.equal({b.server(v, "a")["health"] for v in ("v1", "v2")}, {"up"},
            "health at the end")
    b.idle()
    b.stop()


scenario.run(test, user="root")
