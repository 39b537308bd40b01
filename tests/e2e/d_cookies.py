#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import os

from lib import scenario
from lib.ask import COOKIE, ask
from lib.braidd import Braid

CLIENT = b"8 bytes!"


def test(s):
    """Cookies over two servers that share their secrets, while those are
    changed as the manual says: a cookie of one is good at the other at every
    moment. Then what is no good cookie, and a file that holds no secrets."""
    file = s.path("cookies")
    servers, nodes = [], []

    def write(*secrets):
        with open(file + ".new", "w", encoding="ascii") as f:
            f.write("# for both\n" + "".join(f"{key}\n" for key in secrets))
        s.keep_secret(file + ".new")
        os.replace(file + ".new", file)

    def cookie_of(node, cookie, **more):
        return ask(servers[node], "www.example.org",
                   options=[(COOKIE, cookie)], **more).options[COOKIE]

    def judged(node, kind):
        return nodes[node].metrics().total(
            "braid_dns_queries_by_cookie_total", cookie=kind)

    old, new = os.urandom(16).hex(), os.urandom(16).hex()
    write(old)
    for node in range(2):
        servers.append(("127.0.0.1", s.port()))
        nodes.append(Braid(s, {"dns": {
            "bind": "%s:%d" % servers[-1], "cookies": {"secret": file},
            "zones": {"example.org": {"records": [
                "@ SOA ns1 hostmaster 1 3600 600 86400 60", "@ NS ns1",
                "ns1 A 192.0.2.53", "www A 192.0.2.1"]}}}},
            name=f"node{node}"))

    cookie = cookie_of(0, CLIENT)
    s.equal(len(cookie), 24, "bytes of a cookie")
    s.equal(cookie[:8], CLIENT, "the client's own part")
    for step, secrets in (("the new one is known", (old, new)),
                          ("the new one is used", (new, old)),
                          ("the old one is gone", (new,))):
        s.say(f"-- {step}")
        write(*secrets)
        for reloaded in range(2):
            said = nodes[reloaded].reload()
            s.check("secrets of cookies changed" in str(said),
                    "the reload says so")
            for node in (0, 1, 0, 1):
                cookie = cookie_of(node, cookie)
    for node in range(2):
        s.equal(judged(node, "invalid"), 0, f"no good cookies at {node}")
        s.equal(judged(node, "valid"), 12, f"good cookies at {node}")
    s.check("nothing changed" in str(nodes[0].reload()), "a reload of the same")

    s.say("-- no good cookies")
    for what, bad in (("a wrong hash", cookie[:23] + bytes([cookie[23] ^ 1])),
                      ("one of the future", cookie[:12] + b"\xff" * 4 +
                       cookie[16:])):
        s.equal(cookie_of(1, bad)[:12], cookie[:12], what)
    cookie_of(1, cookie, source="127.0.0.2")
    s.equal(judged(1, "invalid"), 3, "the third is another client's")

    s.say("-- a file without secrets")
    write()
    answer = nodes[0].ctl_answer("reload")
    s.check(answer["exit"] and "has no secret" in str(answer), "is refused")
    s.equal(cookie_of(0, cookie), cookie, "and what was before goes on")
    for node in nodes:
        node.stop()


scenario.run(test)
