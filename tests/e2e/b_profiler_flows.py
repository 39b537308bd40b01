#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import json

from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, echo

REQUEST = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"


def test(s):
    """braidctl flows shows of each flow its class, how sure it is and where
    it was told, as the access log does, and lists flows of one class."""
    origin = Origin(s, echo)
    port = s.port()

    def config(mode):
        return {
            "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
            "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
            "profiler": {"mode": mode, "model": "none",
                         "pin": {"ssh": "interactive", "http": "bulk"}},
        }

    def table():
        lines = b.braidctl("flows").stdout.splitlines()
        return lines[0], [line for line in lines[1:] if "web" in line]

    def listed(*arguments):
        return {(f.get("class"), f.get("class_at"), f.get("sure"))
                for f in b.ctl("flows", *arguments)["flows"]}
    b = Braid(s, config("off"))
    early = client.connect(("127.0.0.1", port))
    s.check(client.echoes(early), "a flow while the profiler is off")
    s.check("CLASS" not in table()[0], "no column of classes")
    s.equal(listed(), {(None, None, None)}, "nor in JSON")

    b.reload(config("observe"))
    held = {}
    for name, first in (("ssh", b"SSH-2.0-x\r\n"), ("http", REQUEST),
                        ("other", b"\xc3\x91\x92\x93 nobody's")):
        held[name] = client.connect(("127.0.0.1", port))
        s.check(client.echoes(held[name], first), f"a flow of {name}")
    silent = client.connect(("127.0.0.1", port))
    s.until(lambda: len(b.ctl("flows")["flows"]) == 5, "five flows")
    head, rows = table()
    s.check("CLASS" in head, "a column of classes")
    for text in ("interactive 100% at pin", "bulk 100% at pin",
                 "unknown 0% at answer"):
        s.equal(sum(text in row for row in rows), 1, text)
    s.equal(listed("class=bulk"), {("bulk", "pin", 100)}, "class=bulk")
    s.equal(listed("class=unknown"), {("unknown", "answer", 0)},
            "class=unknown")
    s.equal(listed("class=push"), set(), "class=push")
    s.equal(listed(), {("bulk", "pin", 100), ("interactive", "pin", 100),
                       ("unknown", "answer", 0), (None, None, None)}, "all")
    done = b.braidctl("flows", "class=bulky", check=False)
    s.check(done.returncode == 64 and "interactive" in done.stderr,
            f"a class that is none: {done.stderr.strip()}")
    answer = json.loads(b.braidctl("-o", "json", "flows", "class=bulk",
                                   "pool=o", "server=a", "listener=web",
                                   "limit=9").stdout)
    row = answer["data"]["flows"][0]
    held["http"].close()
    line = b.wait_flows(1)[0]
    s.equal((line["id"], line["class"], line["class_at"], line["sure"]),
            (str(row["id"]), row["class"], row["class_at"],
             str(row["sure"])), "the access log says the same")
    for sock in (early, silent, held["ssh"], held["other"]):
        sock.close()
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
