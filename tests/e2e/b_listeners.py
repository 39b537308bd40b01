#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, name


def test(s):
    """IPv4, IPv6 and unix listeners with several addresses on one listener;
    both workers get connections."""
    origin = Origin(s, name("origin"))
    ports = [s.port() for _ in range(3)]
    path = s.path("braidd/web.sock")
    b = Braid(s, {
        "listeners": {
            "web": {"bind": [f"127.0.0.1:{ports[0]}", f"[::1]:{ports[0]}",
                             f"127.0.0.1:{ports[1]}", f"unix:{path}"],
                    "pool": "o"},
            "other": {"bind": f"127.0.0.1:{ports[2]}", "pool": "o"},
        },
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    })
    n = 40
    for address in (("127.0.0.1", ports[0]), ("::1", ports[0]),
                    ("127.0.0.1", ports[1]), path, ("127.0.0.1", ports[2])):
        s.equal(client.names(address, n), {"origin": n},
                f"answers from {address}")
    b.idle()
    s.equal(b.listener("web")["accepted"], 4 * n, "accepted by web")
    s.equal(b.listener("other")["accepted"], n, "accepted by other")
    flows = b.wait_flows(5 * n)
    s.equal(len(flows), 5 * n, "lines in the access log")
    s.equal({f["end"] for f in flows}, {"--"}, "termination codes")
    families = {f["client"].rsplit(":", 1)[0] for f in flows}
    s.equal(families, {"127.0.0.1", "[::1]", "unix"}, "clients in the log")
    workers = {f["worker"] for f in flows if f["client"] != "unix"}
    s.equal(workers, {"0", "1"}, "workers with tcp connections")
    b.stop()


scenario.run(test, user="root")
