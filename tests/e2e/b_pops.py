#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.braidd import Braid
from lib.origins import Origin


def page(sock, _number):
    head = b""
    while b"\r\n\r\n" not in head:
        part = sock.recv(4096)
        if not part:
            return
        head += part
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                 b"Connection: close\r\n\r\nhi")


def test(s):
    """POPs: up while one address is; drain, maintenance and weight hold for
    all addresses, also for new ones, over reload and upgrade; they are no
    servers."""
    port = s.port()
    one, two, fra = (Origin(s, page, (f"127.3.0.{i}", port))
                     for i in (1, 2, 3))
    origin = Origin(s, page)

    def config(fra_addresses):
        health = {"type": "http", "port": port, "interval": "100ms",
                  "timeout": "30s", "rise": 1, "fall": 2}
        return {
            "listeners": {"web": {"bind": f"127.0.0.1:{web}",
                                  "pool": "o"}},
            "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
            "dns": {
                "bind": f"127.0.0.1:{dns}",
                "zones": {"cdn.example": {
                    "records": ["@ SOA ns1 admin 1 2h 1h 14d 30s", "@ NS ns1",
                                "ns1 A 192.0.2.53"],
                    "resources": {"www": {"pops": ["ams", "fra"]}}}}},
            "pops": {
                "ams": {"addresses": ["127.3.0.1", "127.3.0.2"],
                        "health": health},
                "fra": {"addresses": fra_addresses, "health": health}}}

    web, dns = s.port(), s.port()
    b = Braid(s, config(["127.3.0.3"]))

    def pop(name):
        rows = b.ctl("pops")["pops"]
        return next(row for row in rows if row["pop"] == name)

    s.until(lambda: all(pop(p)["health"] == "up" for p in ("ams", "fra")),
            "both are up")
    s.equal(pop("ams")["addresses_up"], 2, "addresses of ams that are up")
    s.equal([row["pool"] for row in b.ctl("servers")["servers"]], ["o"],
            "the servers")
    rows = b.ctl("servers", "pop:ams")["servers"]
    s.equal([row["server"] for row in rows], ["127.3.0.1", "127.3.0.2"],
            "addresses of ams, when asked for")

    one.down()
    s.until(lambda: pop("ams")["addresses_up"] == 1, "one address is down")
    s.equal(pop("ams")["health"], "up", "ams with one address")
    b.wait_event("POP address down", pop="ams", address="127.3.0.1")
    s.equal(b.events("POP out of service"), [], "POPs out of service")
    two.down()
    s.until(lambda: pop("ams")["health"] == "down", "ams is down")
    b.wait_event("POP out of service", pop="ams")
    s.until(lambda: "refused" in pop("ams")["cause"], "the cause is said")
    s.equal(b.metrics().value("braid_pop_up", pop="ams"), 0, "braid_pop_up")
    s.equal(b.metrics().value("braid_pop_up", pop="fra"), 1, "that of fra")
    s.check("pop:" not in str(b.metrics().samples), "no server's metrics")
    one.up()
    s.until(lambda: pop("ams")["health"] == "up", "ams is up again")
    b.wait_event("POP in service again", pop="ams")

    s.equal(b.ctl("drain", "pop:fra")["admin"], "drain", "fra")
    b.wait_event("POP state set", pop="fra", state="drain")
    b.wait_event("POP out of service", pop="fra")
    s.equal(b.ctl("weight", "pop:fra", "30")["weight_percent"], 30, "fra")
    fra4 = Origin(s, page, ("127.3.0.4", port))
    b.reload(config(["127.3.0.3", "127.3.0.4"]))
    s.equal(pop("fra")["addresses"], 2, "addresses of fra after a reload")
    for row in b.ctl("servers", "pop:fra")["servers"]:
        s.equal((row["admin"], row["weight_overridden"]), ("drain", True),
                f"of {row['server']}")
    b.upgrade()
    s.equal((pop("fra")["admin"], pop("fra")["weight_percent"]),
            ("drain", 30), "fra after an upgrade")
    s.equal(pop("ams")["health"], "up", "ams after it")
    s.check("fra" in b.braidctl("pops").stdout, "braidctl pops")

    s.equal(b.ctl("maint", "pop:fra")["admin"], "maint", "fra")
    checked = fra.accepted + fra4.accepted
    before = one.accepted
    s.until(lambda: one.accepted > before + 5, "checks go on elsewhere")
    s.check(fra.accepted + fra4.accepted <= checked + 2,
            "no checks in maintenance")
    s.equal(b.ctl("ready", "pop:fra")["admin"], "ready", "fra")
    s.equal(b.ctl("weight", "pop:fra", "reset")["weight_percent"], 100,
            "the weight of fra")
    s.until(lambda: pop("fra")["addresses_up"] == 2, "fra is checked again")
    s.equal(b.ctl_answer("drain", "pop:nowhere")["exit"], 66,
            "the exit status of an unknown POP")
    b.stop()


scenario.run(test)
