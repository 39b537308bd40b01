#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
from lib import scenario
from lib.ask import ask, query, send_udp
from lib.braidd import Braid

CLIENTS = [f"10.{i // 16}.{i % 16 * 16}.0/24" for i in range(80)]
SHOP = {"pops": ["near", "far"], "weights": {"near": 3, "far": 1}}


def config(port, resources, serial=4, **more):
    return {
        "dns": {"bind": f"127.0.0.1:{port}", "zones": {"cdn.example": {
            "records": [f"@ SOA ns1 hostmaster {serial} 3600 600 86400 60",
                        "@ NS ns1", "ns1 A 192.0.2.53"],
            "resources": resources}, **more}},
        "pops": {"near": {"addresses": ["192.0.2.10"], "slow_start": "0s"},
                 "far": {"addresses": ["192.0.2.20"], "slow_start": "0s"}}}


def answers(m, pop):
    return m.value("braid_dns_resource_answers_total", zone="cdn.example",
                   resource="shop", pop=pop)


def test(s):
    """What the responder counts equals what was asked, and survives reloads
    and upgrades; gauges say what is in force."""
    port = s.port()
    server = ("127.0.0.1", port)
    b = Braid(s, config(port, {"shop": SHOP}))
    m = b.metrics()
    s.equal((answers(m, "near"), answers(m, "far")), (0, 0),
            "rows are there before the first answer")

    got = {"near": 0, "far": 0}
    for client in CLIENTS:
        a = ask(server, "shop.cdn.example", ecs=client)
        got[a.data("CNAME")[0].split(".")[0][6:]] += 1
    for _ in range(3):
        ask(server, "ns1.cdn.example", tcp=True, edns=None)
    ask(server, "nothing.cdn.example", "AAAA")
    ask(server, "www.example.org", "MX")
    ask(server, "ns1.cdn.example", options=((10, b"12345678"),))
    # A response, which is dropped: the question behind it is answered.
    with_qr = query("ns1.cdn.example", flags=0x8000)
    s.check(b"" == drop(server, with_qr), "a response gets no answer")
    s.until(lambda: b.metrics().value("braid_dns_queries_dropped_total",
                                      cause="response"), "it is dropped")
    m = b.metrics()
    n = len(CLIENTS)

    def counts(m, name, **labels):
        return m.value(f"braid_dns_{name}_total", **labels)

    for what, value, want in (
            ("over UDP", counts(m, "queries_udp"), n + 4),
            ("over TCP", counts(m, "queries_tcp"), 3),
            ("with EDNS", counts(m, "edns"), n + 3),
            ("with a subnet", counts(m, "subnet"), n),
            ("that hold for some", counts(m, "subnet_scoped"), n),
            ("type a", counts(m, "queries_by_type", type="a"), n + 4),
            ("type aaaa", counts(m, "queries_by_type", type="aaaa"), 1),
            ("type mx", counts(m, "queries_by_type", type="mx"), 1),
            ("noerror", counts(m, "answers_by_rcode", rcode="noerror"), n + 4),
            ("nxdomain", counts(m, "answers_by_rcode", rcode="nxdomain"), 1),
            ("refused", counts(m, "answers_by_rcode", rcode="refused"), 1),
            ("data", counts(m, "queries_by_kind", kind="data"), n + 4),
            ("a client's cookie",
             counts(m, "queries_by_cookie", cookie="client"), 1),
            ("dropped", counts(m, "queries_dropped", cause="response"), 1),
            ("connections", counts(m, "socket_tcp_accepted"), 3),
            ("near", answers(m, "near"), got["near"]),
            ("far", answers(m, "far"), got["far"])):
        s.equal(value, want, what)

    def gauge(m, name, **labels):
        return m.value(f"braid_dns_{name}", **labels)

    s.equal((gauge(m, "zones"), gauge(m, "zone_serial", zone="cdn.example")),
            (1, 4), "zones and serial")
    s.check(gauge(m, "zone_names", zone="cdn.example") >= 4 and
            gauge(m, "zone_memory_bytes", zone="cdn.example") > 0 and
            gauge(m, "zone_loaded_time_seconds", zone="cdn.example") > 1e9,
            "size and age of a zone")

    def weights(m):
        return [gauge(m, "resource_weight_ratio", zone="cdn.example",
                      resource="shop", pop=pop, region="")
                for pop in ("near", "far")]

    s.equal(weights(m), [0.75, 0.25], "weights in force")
    epoch = gauge(m, "policy_epoch")
    b.ctl("drain", "pop:far")
    s.until(lambda: weights(b.metrics()) == [1, 0], "and when a POP drains")
    s.check(gauge(b.metrics(), "policy_epoch") > epoch, "they have a number")
    b.ctl("ready", "pop:far")
    s.until(lambda: weights(b.metrics()) == [0.75, 0.25], "and is back")

    reload_and_upgrade(s, b, port, got)
    b.stop()


def drop(server, message):
    try:
        return send_udp(server, message, timeout_s=0.2)
    except TimeoutError:
        return b""


def reload_and_upgrade(s, b, port, got):
    server = ("127.0.0.1", port)
    b.reload(config(port, {"other": {"pops": ["near"]}}, serial=5))
    m = b.metrics()
    s.equal((answers(m, "near"), answers(m, "far")),
            (got["near"], got["far"]), "a resource that is gone is counted on")
    s.equal(m.value("braid_dns_zone_serial", zone="cdn.example"), 5,
            "the new zone's serial")
    s.equal(m.total("braid_dns_resource_weight_ratio"), 1,
            "weights of what there is")
    # In another order, so in other places of the resource.
    b.reload(config(port, {"shop": {"pops": ["far", "near"], "weights":
                                    SHOP["weights"]}}, serial=6))
    for client in CLIENTS[:20]:
        a = ask(server, "shop.cdn.example", ecs=client)
        got[a.data("CNAME")[0].split(".")[0][6:]] += 1
    m = b.metrics()
    s.equal((answers(m, "near"), answers(m, "far")),
            (got["near"], got["far"]), "and goes on when it is back")
    udp = m.value("braid_dns_queries_udp_total")
    b.upgrade()
    a = ask(server, "shop.cdn.example", ecs=CLIENTS[0])
    got[a.data("CNAME")[0].split(".")[0][6:]] += 1

    def counted():
        m = b.metrics()
        return (answers(m, "near"), answers(m, "far"),
                m.value("braid_dns_queries_udp_total"))
    # The old process may have answered it, which writes its counters once a
    # second.
    s.until(lambda: counted() == (got["near"], got["far"], udp + 1),
            "and after an upgrade")


scenario.run(test)
