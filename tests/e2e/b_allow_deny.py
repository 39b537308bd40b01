#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, echo


def test(s):
    """allow and deny: the longest prefix decides, alone or behind a PROXY
    header; what is refused ends as `refuse` says, is counted and logged once,
    and reloads change the lists without touching live connections."""
    origin = Origin(s, echo)
    names = ("deny", "allow", "both", "closes", "proxied")
    ports = {n: s.port() for n in names}
    lists = {
        "deny": {"deny": ["127.0.0.8/29", "127.0.0.64"]},
        "allow": {"allow": "127.0.0.8/29"},
        "both": {"allow": ["127.0.0.0/24", "127.0.1.7"],
                 "deny": ["127.0.0.8/29", "127.0.1.0/24"]},
        "closes": {"deny": "127.0.0.9", "refuse": "close"},
        "proxied": {"deny": ["192.0.2.0/24", "127.0.0.9"],
                    "proxy_protocol": "accept",
                    "proxy_from": "127.0.0.0/8"},
    }

    def config(lists):
        return {
            "listeners": {n: {"bind": f"127.0.0.1:{ports[n]}", "pool": "o",
                              **lists[n]} for n in names},
            "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
        }
    b = Braid(s, config(lists))

    def gets_in(listener, source, header=b""):
        try:
            with client.connect(("127.0.0.1", ports[listener]),
                                source=(source, 0)) as sock:
                sock.sendall(header)
                return client.echoes(sock)
        except OSError:
            return False

    facts = [
        ("deny", "127.0.0.7", True), ("deny", "127.0.0.8", False),
        ("deny", "127.0.0.15", False), ("deny", "127.0.0.16", True),
        ("deny", "127.0.0.64", False), ("deny", "127.0.0.65", True),
        ("allow", "127.0.0.7", False), ("allow", "127.0.0.8", True),
        ("allow", "127.0.0.16", False),
        ("both", "127.0.0.7", True), ("both", "127.0.0.9", False),
        ("both", "127.0.1.8", False), ("both", "127.0.1.7", True),
        ("both", "127.0.2.1", False),
        ("closes", "127.0.0.9", False), ("closes", "127.0.0.8", True),
    ]
    for listener, source, want in facts:
        s.equal(gets_in(listener, source), want,
                f"{source} gets in at {listener}")
    refused = {n: sum(not ok for at, _, ok in facts if at == n)
               for n in names}

    # Behind a proxy the address that it names counts, not its own.
    def header(source):
        return f"PROXY TCP4 {source} 127.0.0.1 4711 80\r\n".encode()
    for source, named, want in (("127.0.0.9", "192.0.3.1", True),
                                ("127.0.0.1", "192.0.2.1", False)):
        s.equal(gets_in("proxied", source, header(named)), want,
                f"{named} gets in behind {source}")
    refused["proxied"] = 1
    flow = b.wait_flows(1, end="PP")[0]
    s.equal((flow["client"], flow["error"]), (
        "192.0.2.1:4711", "refused by allow or deny of the listener"),
        "its line in the log")
    # A header with an IPv4-mapped address is no way around.
    mapped = b"PROXY TCP6 ::ffff:192.0.2.1 ::1 4711 80\r\n"
    s.equal(gets_in("proxied", "127.0.0.1", mapped), False,
            "the IPv4-mapped address gets in")
    refused["proxied"] += 1

    for name, n in refused.items():
        s.equal(b.listener(name)["denied"], n, f"denied of {name}")
    s.equal(b.status()["refused"]["denied"], sum(refused.values()),
            "denied in the status")
    m = b.metrics()
    s.equal(m.value("braid_listener_denied_total", listener="deny"),
            refused["deny"], "denied in the metrics")
    said = b.wait_event("connections refused", listener="deny")
    s.equal(said["cause"], "allow or deny", "the cause in the log")
    s.check(said["example"].startswith("127.0.0."), "an address of the lists")

    # How it ends.
    for listener, want in (("deny", client.RESET), ("closes", client.FIN)):
        try:
            with client.connect(("127.0.0.1", ports[listener]),
                                source=("127.0.0.9", 0)) as sock:
                end = client.read_end(sock)
        except ConnectionResetError:  # already while connecting
            end = b"", client.RESET
        s.equal(end, (b"", want), f"end at {listener}")

    # A reload is for new connections only.
    with client.connect(("127.0.0.1", ports["deny"]),
                        source=("127.0.0.7", 0)) as sock:
        s.check(client.echoes(sock), "a connection before the reload")
        lists["deny"] = {"deny": "127.0.0.7"}
        b.reload(config(lists))
        s.check(client.echoes(sock), "it lives on after the reload")
        s.equal(gets_in("deny", "127.0.0.7"), False, "a new one gets in")
        s.equal(gets_in("deny", "127.0.0.8"), True, "another gets in")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
