#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario, servers
from lib.braidd import Braid


def test(s):
    """wrk against two nginx through braidd, keep-alive and a connection a
    request, while weights change: no error, and every connection is in the
    counters and in the log."""
    s.need("wrk", "nginx")
    origins = [servers.Nginx(s, n) for n in "ab"]
    port = s.port()
    config = {
        "listeners": {"web": {"bind": f"127.0.0.1:{port}", "pool": "o"}},
        "pools": {"o": {
            "servers": {o.name: {"address": o.text} for o in origins},
            "health": {"type": "http", "path": "/name", "timeout": "20s"}}},
    }
    b = Braid(s, config)
    url = f"http://127.0.0.1:{port}/small"
    requests, errors = servers.wrk(url, 64, 3)
    s.equal(errors, {}, f"errors of {requests} keep-alive requests")
    b.idle()
    s.equal(b.listener("web")["accepted"], 64 + 1,
            "connections (wrk looks once whether the host is there)")
    config["pools"]["o"]["servers"]["a"]["weight"] = 3
    b.reload(config)
    head = ("-H", "Connection: close")
    requests, errors = servers.wrk(url, 64, 3, options=head)
    s.equal(errors, {}, f"errors of {requests} requests with one each")
    b.idle()
    row = b.listener("web")
    s.check(row["accepted"] >= requests + 65,
            f"{row['accepted']} connections in all")
    s.equal(row["accepted"], row["closed"], "all of them ended")
    taken = {n: b.server("o", n)["flows"] for n in "ab"}
    s.check(sum(taken.values()) <= row["accepted"], f"flows: {taken}")
    s.check(taken["a"] > taken["b"], f"a has the larger weight: {taken}")
    lost = b.status()["flows"]["log_dropped"]
    flows = b.wait_flows(row["accepted"] - lost, 60)
    ends = {f["end"] for f in flows}
    # At its end wrk leaves while answers are on their way, or before there is
    # a server.
    s.check(all(end == "--" or end[0] == "C" for end in ends),
            f"codes: {ends}")
    early = sum(f["end"] not in ("--", "CD") for f in flows)
    if not lost:
        s.equal(sum(taken.values()), row["accepted"] - early,
                "flows of both servers")
    b.stop()


scenario.run(test, user="nobody")
