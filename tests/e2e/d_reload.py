#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os
import socket

from lib import scenario
from lib.ask import ask
from lib.braidd import Braid

ZONE = """\
$TTL 600
@    SOA ns1 hostmaster {serial} 3600 600 86400 60
     NS  ns1
ns1  A   192.0.2.53
www  A   {address}
"""


def silent(server):
    """Nobody has the UDP port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(server)
    return True


def gone(server):
    try:
        return silent(server)
    except OSError:
        return False


def test(s):
    """Reloads of the responder: a zone that is wrong is refused whole, with
    all of its lines, and the old one stays; one zone is loaded anew by itself;
    zones, addresses, and all of `dns` come and go."""
    port, second = s.port(), s.port()
    server, other = ("127.0.0.1", port), ("127.0.0.1", second)
    file = s.path("example.zone")

    def write(text):
        with open(file + ".new", "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(file + ".new", 0o644)
        os.replace(file + ".new", file)

    def config(*binds, zones=("example.org", "example.net")):
        of = {"example.org": {"file": file}, "example.net": {"records": [
            "@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
            "ns1 A 192.0.2.53"]}}
        return {"dns": {"bind": list(binds),
                        "zones": {name: of[name] for name in zones}}}

    def address(at=server, **how):
        return ask(at, "www.example.org", **how).data("A")

    one = f"127.0.0.1:{port}"
    write(ZONE.format(serial=1, address="192.0.2.1"))
    b = Braid(s, config(one))

    s.say("-- one zone anew")
    s.equal(address(), ["192.0.2.1"], "the zone as it was at the start")
    write(ZONE.format(serial=2, address="192.0.2.2"))
    s.equal(address(), ["192.0.2.1"], "a file that changes is not looked at")
    answer = b.ctl("dns", "reload", "example.org")
    s.equal((answer["accepted"], answer["lines"]), (True, []), "dns reload")
    s.equal(address(), ["192.0.2.2"], "is in force when it answers")
    s.equal(ask(server, "example.org", "SOA").answer[0].ttl, 600, "its SOA")
    b.wait_event("zone reloaded", zone="example.org")

    s.say("-- a bad file")
    write(ZONE.format(serial=3, address="192.0.2.3") +
          "www CNAME ns1\nhost A 192.0.2.256\nother.example. A 192.0.2.1\n")
    refused = b.ctl_answer("dns", "reload", "example.org")
    lines = "\n".join(refused["data"]["lines"])
    s.equal((refused["exit"], refused["data"]["accepted"]), (78, False),
            "dns reload of a bad zone")
    for line in (7, 8):
        s.check(f"{file}:{line}" in lines, f"its line {line} is named")
    s.equal(address(), ["192.0.2.2"], "the old one stays")
    text = b.braidctl("dns", "reload", "example.org", check=False)
    s.check(text.returncode == 78 and f"{file}:7" in text.stderr,
            "braidctl says so, too")
    refused = b.ctl_answer("reload")
    s.check(refused["exit"] == 78 and
            f"{file}:7" in "\n".join(refused["data"]["lines"]),
            "a reload of all is refused likewise")
    s.equal((address(), ask(server, "ns1.example.net").rcode),
            (["192.0.2.2"], "NOERROR"), "and all stays")
    os.unlink(file)
    refused = b.ctl_answer("dns", "reload", "example.org")
    s.check(refused["exit"] == 78 and file in refused["data"]["lines"][0],
            "a file that is gone")
    s.equal(address(tcp=True), ["192.0.2.2"], "the old one stays, over TCP")
    write(ZONE.format(serial=4, address="192.0.2.4"))
    said = b.reload()["summary"]
    s.equal(address(), ["192.0.2.4"], "a reload of all takes files that have "
            "changed")
    s.check("example.org" in said, f"and says so: {said}")

    s.say("-- zones and addresses")
    said = b.reload(config(one, zones=("example.org",)))["summary"]
    s.check("example.net" in said, f"a zone is removed: {said}")
    s.equal(ask(server, "ns1.example.net").rcode, "REFUSED", "not ours now")
    b.reload(config(one, f"127.0.0.1:{second}"))
    s.equal([address(at, tcp=tcp) for at in (server, other)
             for tcp in (False, True)], [["192.0.2.4"]] * 4,
            "an address more")
    b.reload(config(f"127.0.0.1:{second}"))
    s.equal(address(other), ["192.0.2.4"], "another address alone")
    s.until(lambda: gone(server), "the first one is closed")

    s.say("-- without dns, and with it again")
    web = {"listeners": {"web": {"bind": one, "pool": "p"}},
           "pools": {"p": {"servers": {"a": {"address": "127.0.0.1:9"}}}}}
    b.reload(web)
    s.until(lambda: gone(other), "no DNS any more")
    for arguments in ((), ("reload", "example.org"),
                      ("explain", "www.example.org")):
        s.equal(b.ctl_answer("dns", *arguments)["exit"], 66,
                f"dns {' '.join(arguments)}")
    b.reload({**config(f"127.0.0.1:{second}"), **web})
    s.equal(address(other), ["192.0.2.4"], "DNS beside a listener")
    b.stop()


scenario.run(test)
