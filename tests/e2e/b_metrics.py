#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
import contextlib
import http.client

from lib import client, openmetrics, scenario
from lib.braidd import Braid
from lib.origins import Origin, echo
from lib.process import Failure, wait_until


def test(s):
    """/metrics is strict OpenMetrics; its counters equal the traffic that was
    sent, and survive reloads, also of removed servers and listeners."""
    origins = {n: Origin(s, echo) for n in "ab"}
    port, other = s.port(), s.port()
    dead = f"127.0.0.1:{s.port()}"
    config = {
        "listeners": {
            "web": {"bind": f"127.0.0.1:{port}", "pool": "o",
                    "max_connections": 77},
            "other": {"bind": f"127.0.0.1:{other}", "pool": "d"}},
        "pools": {
            "o": {"balance": "rr", "queue": {"length": 9},
                  "servers": {"a": {"address": origins["a"].text},
                              "b": {"address": origins["b"].text,
                                    "max_connections": 50}}},
            "d": {"connect": {"retries": 2},
                  "servers": {"x": {"address": dead}}}},
    }
    b = Braid(s, config)
    m = b.metrics()
    s.equal(m.total("braid_listener_accepted_total"), 0, "accepted at first")

    n, size = 30, 1000
    for _ in range(n):
        with client.connect(("127.0.0.1", port)) as sock:
            sock.sendall(b"x" * size)
            client.read_exactly(sock, size)
    for _ in range(4):
        client.ask(("127.0.0.1", other))
    held = [client.connect(("127.0.0.1", port)) for _ in range(3)]
    for sock in held:
        client.echoes(sock, b"12345")
    s.until(lambda: b.status()["flows"]["open"] == 3, "three flows are open")

    def web(m, name):
        return m.value(f"braid_listener_{name}", listener="web")

    def server(m, name, which=("a", "b")):
        return sum(m.value(f"braid_server_{name}", pool="o", server=x)
                   for x in which)

    total = n * size + 3 * 5

    def facts(m):
        return (
            ("accepted", web(m, "accepted_total"), n + 3),
            ("closed", web(m, "closed_total"), n),
            ("open", web(m, "connections"), 3),
            ("limit", web(m, "connections_limit"), 77),
            ("bytes in", web(m, "in_bytes_total"), total),
            ("bytes out", web(m, "out_bytes_total"), total),
            ("server flows", server(m, "flows_total"), n + 3),
            ("server connections", server(m, "connections"), 3),
            ("to servers", server(m, "to_bytes_total"), total),
            ("from servers", server(m, "from_bytes_total"), total),
            ("limit of b", m.value("braid_server_connections_limit",
                                   pool="o", server="b"), 50),
            ("queue limit", m.value("braid_pool_queue_limit", pool="o"), 9),
            ("servers", m.value("braid_pool_servers", pool="o"), 2),
            ("relayed", m.total("braid_worker_relayed_bytes_total"),
             2 * total),
            ("connects", m.total("braid_worker_connects_total"),
             n + 3 + 4 * 3),
            ("connect errors", m.value("braid_server_connect_errors_total",
                                       pool="d", server="x"), 12),
            ("retries", m.total("braid_worker_retries_total"), 8),
            ("all connections", m.value("braid_connections"), 3),
            ("flow times", m.value("braid_flow_time_seconds_count"), n + 4),
            ("connect times", m.value("braid_connect_time_seconds_count"),
             n + 3),
            ("workers", m.value("braid_workers"), 2))

    # A client has its bytes before the worker has counted them.
    with contextlib.suppress(Failure):
        wait_until(lambda: all(got == want for _, got, want in
                               facts(b.metrics())), "all to be counted")
    m = b.metrics()
    for what, got, want in facts(m):
        s.equal(got, want, what)
    s.check(not m.has("braid_server_connections_limit", pool="o",
                      server="a"), "no limit sample where there is none")

    s.say("-- reloads")
    before = m
    config["listeners"]["web"]["max_connections"] = 78
    config["pools"]["o"]["servers"]["a"]["weight"] = 5
    b.reload(config)
    del config["listeners"]["other"], config["pools"]["d"]
    removed = config["pools"]["o"]["servers"].pop("b")
    b.reload(config)
    after = b.metrics()
    lost = [key for key in before.samples
            if key[0].endswith("_total") and key not in after.samples]
    s.equal(lost, [], "counters that are gone")
    less = [key for key, value in before.samples.items()
            if key[0].endswith("_total") and after.samples[key] < value]
    s.equal(less, [], "counters that went back")
    s.equal(after.value("braid_config_reloads_total"), 2, "reloads")
    s.equal(after.value("braid_config_number"), 3, "number")
    config["pools"]["o"]["servers"]["b"] = removed
    b.reload(config)
    s.check(b.metrics().value("braid_server_flows_total", pool="o",
                              server="b") >=
            before.value("braid_server_flows_total", pool="o", server="b"),
            "a server that is back goes on counting")

    s.say("-- the rest of the API")
    status, kind, text = openmetrics.fetch("127.0.0.1", b.api_port,
                                           accept="text/plain")
    s.equal((status, kind.split(";")[0]), (200, "text/plain"),
            "the older format on demand")
    s.check("# EOF" not in text and "braid_workers 2" in text, "its text")
    s.equal(openmetrics.fetch("127.0.0.1", b.api_port, "/healthz")[0], 200,
            "/healthz")
    s.equal(openmetrics.fetch("127.0.0.1", b.api_port, "/nothing")[0], 404,
            "/nothing")
    connection = http.client.HTTPConnection("127.0.0.1", b.api_port)
    connection.request("POST", "/metrics", body=b"x" * 100000)
    s.equal(connection.getresponse().status, 405, "POST")
    connection.close()
    with client.connect(("127.0.0.1", b.api_port)) as sock:
        sock.sendall(b"\0garbage\r\n\r\n" * 10)
        client.ask(("127.0.0.1", b.api_port), b"GET / HTTP/9\r\n")
    s.check(b.metrics().value("braid_workers") == 2, "it lives after garbage")
    for sock in held:
        sock.close()
    b.idle()
    b.stop()


scenario.run(test, user="nobody")
