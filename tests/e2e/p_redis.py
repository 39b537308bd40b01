#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario, servers
from lib.braidd import Braid


def test(s):
    """redis-benchmark through braidd, plain and pipelined, with small and
    large values, has no error."""
    redis = servers.Redis(s)
    port = s.port()
    b = Braid(s, {
        "listeners": {"redis": {"bind": f"127.0.0.1:{port}", "pool": "r"}},
        "pools": {"r": {"servers": {"r": {"address": redis.text}}}},
    })
    for what, options in (
            ("50 connections", ("-n", "5000", "-c", "50")),
            ("pipelined by 16", ("-n", "10000", "-c", "20", "-P", "16")),
            ("values of 100 kB", ("-n", "500", "-c", "10", "-d", "100000")),
            ("a connection a request", ("-n", "250", "-c", "10", "-k",
                                        "0"))):
        done = s.run(["redis-benchmark", "-h", "127.0.0.1", "-p", port, "-t",
                      "set,get,lpush,lrange_100", "--csv", *options],
                     seconds=100)
        rows = [line for line in done.stdout.splitlines()
                if line.startswith('"') and '"test"' not in line]
        s.check(len(rows) >= 3 and "rror" not in done.stdout + done.stderr,
                f"{what}: {len(rows)} kinds of requests")
    b.idle()
    flows = b.wait_flows(1000)
    ends = {f["end"] for f in flows}
    # redis-benchmark may close while an answer is on its way.
    s.check("--" in ends and ends <= {"--", "CD"}, f"codes: {ends}")
    s.equal(b.server("r", "r")["connect_errors"], 0, "connect errors")
    b.stop()


scenario.run(test, user="root")
