#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.netns import Namespace, join
from lib.origins import Origin, listen, name


def test(s):
    """A pool's source address is the one that its servers see, in IPv4 and
    IPv6, also by checks; without it the kernel chooses."""
    near, far = Namespace(s), Namespace(s)
    end, far_end = join(near, far, "10.77.0.1/24", "10.77.0.9/24")
    near.add_address("10.77.0.2/24", end)
    for space, device, address in ((near, end, "fd77::1/64"),
                                   (near, end, "fd77::2/64"),
                                   (far, far_end, "fd77::9/64")):
        space.ip("address", "add", address, "dev", device, "nodad")
    four, six = ("10.77.0.9", 9001), ("fd77::9", 9001)
    origins = {}
    for key, address in (("four", four), ("six", six)):
        origins[key] = Origin(s, name(key), address,
                              far.inside(lambda: listen(address)))
    pools = {
        "plain4": {"servers": {"a": {"address": "10.77.0.9:9001"}}},
        "source4": {"servers": {"a": {"address": "10.77.0.9:9001"}},
                    "source": "10.77.0.2",
                    "health": {"interval": "100ms"}},
        "source6": {"servers": {"a": {"address": "[fd77::9]:9001"}},
                    "source": "fd77::2"},
        "wrong": {"servers": {"a": {"address": "10.77.0.9:9001"}},
                  "source": "10.99.9.9", "connect": {"retries": 1}},
    }
    ports = {n: 8001 + i for i, n in enumerate(pools)}
    b = Braid(s, {
        "listeners": {n: {"bind": f"127.0.0.1:{p}", "pool": n}
                      for n, p in ports.items()},
        "pools": pools,
    }, namespace=near, api=False)

    def asked(pool):
        sock = near.inside(lambda: client.connect(("127.0.0.1",
                                                   ports[pool])))
        with sock:
            sock.shutdown(1)
            return client.read_end(sock)

    # Checks alone have come so far.
    s.until(lambda: b.server("source4", "a")["health"] == "up", "checked")
    # It is up once it is connected, before the server's thread knows of it.
    s.until(lambda: origins["four"].accepted, "the server has seen a check")
    s.equal({p[0] for p in origins["four"].peers}, {"10.77.0.2"},
            "checks come from the source")
    b.ctl("maint", "source4", "a")
    s.until(lambda: origins["four"].n_open == 0, "checks have ended")

    def seen(pool, key, want):
        # Who is accepted after them has all checks behind it.
        s.equal(asked(pool), (key.encode(), client.FIN), f"{pool} answers")
        n = origins[key].accepted
        for _ in range(10):
            s.checks += asked(pool) == (key.encode(), client.FIN)
        peers = [p[0] for p in origins[key].peers[n:]]
        s.equal(peers, [want] * 10, f"{pool}: what the server sees")

    seen("plain4", "four", "10.77.0.1")
    b.ctl("ready", "source4", "a")
    s.until(lambda: b.server("source4", "a")["weight"] == 1, "ready again")
    n = origins["four"].accepted
    s.equal(asked("source4"), (b"four", client.FIN), "answer of source4")
    s.equal({p[0] for p in origins["four"].peers[n:]}, {"10.77.0.2"},
            "source4: what the server sees")
    seen("source6", "six", "fd77::2")
    s.equal(asked("wrong"), (b"", client.RESET),
            "an address that this host does not have")
    flow = b.wait_flows(1, listener="wrong")[0]
    s.equal(flow["end"][1], "C", f"its phase ({flow['end']}, "
            f"{flow['error']})")
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
