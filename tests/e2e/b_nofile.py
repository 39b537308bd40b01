#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import client, scenario
from lib.braidd import Braid
from lib.origins import Origin, greeter, name


def test(s):
    """Few descriptors: 64 are refused with a plain message, 400 give fewer
    connections; when a running process has none left its flows go on, new ones
    wait, and it recovers."""
    origin = Origin(s, greeter("a"))
    port = s.port()
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {"servers": {"a": {"address": origin.text}}}},
    }
    b = Braid(s, config, nofile=64, name="n64", wait=False)
    s.equal(b.exit_code(), 69, "RLIMIT_NOFILE=64: exit code")
    said = b.process.output().strip()
    s.check("RLIMIT_NOFILE is 64" in said and "ulimit -n" in said,
            f"it says so: {said}")

    s.say("-- 400: fewer connections, and nobody is refused")
    b = Braid(s, config, nofile=400, name="n400")
    limit = b.status()["connections"]["max"]
    s.check(16 <= limit <= 72, f"max_connections is {limit}")
    held = [client.connect(("127.0.0.1", port)) for _ in range(limit + 40)]
    for sock in held:
        s.checks += client.read_exactly(sock, 1) == b"a"
        sock.close()
    b.idle()
    s.equal(b.listener("web")["refused"], 0, "refused")
    s.check(b.listener("web")["accept_pauses"] > 0, "accepting had paused")
    s.equal(b.metrics().value("braid_connections_limit"), limit,
            "braid_connections_limit")
    b.stop()

    s.say("-- clamped with a warning")
    config["global"] = {"max_connections": 100000}
    b = Braid(s, config, nofile=1000, name="clamped")
    said = b.wait_event("start")
    s.check("clamped" in said["warning"], f"warning: {said['warning']}")
    b.stop()

    s.say("-- descriptors run out in operation")
    del config["global"]
    config["pools"]["o"]["connect"] = {"retries": 100}
    b = Braid(s, config, name="out")
    first = [client.connect(("127.0.0.1", port)) for _ in range(10)]
    s.check(all(client.read_exactly(sock, 1) == b"a" for sock in first),
            "ten flows")
    soft = hard = b.descriptor_limit()
    before = b.settled_descriptors()
    # An accept that is armed keeps the limit of that moment, so it is the
    # sockets towards servers that cannot be made.
    b.limit_descriptors(b.highest_descriptor() + 1, hard)
    more = [client.connect(("127.0.0.1", port)) for _ in range(40)]
    s.until(lambda: b.descriptors() >= before + 40, "40 more are accepted")
    s.check(all(client.echoes(sock) for sock in first),
            "the first flows work meanwhile")
    for sock in first:
        sock.close()
    b.limit_descriptors(soft, hard)
    ends = [sock.recv(1) for sock in more]
    s.equal(ends, [b"a"] * len(more), "all that waited are served")
    for sock in more:
        sock.close()
    origin.handler = name("again")
    s.equal(client.names(("127.0.0.1", port), 20), {"again": 20},
            "and new ones")
    b.idle()
    s.equal({f["end"] for f in b.wait_flows(70)}, {"--"}, "codes")
    b.stop()


scenario.run(test, user="nobody")
